/** The Temporal server and its namespace, which `sealflow setup` sets up. */
import { SEARCH_ATTRIBUTES } from '../../search-attributes.js';
import { isAtLeast } from '../../machine/versions.js';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { DAY_MS, duration } from '../../units.js';

/** First server version that honors priorities by default (`matching.useNewMatcher`). */
const MIN_TESTED = '1.31';

export const judgeVersion = (version: string): Verdict =>
  isAtLeast(version, MIN_TESTED)
    ? ok(version)
    : warn(
        `Temporal server ${version || 'of unknown version'}`,
        `${MIN_TESTED} or newer: tested with sealflow`,
        'upgrade it; until then set matching.useNewMatcher = true in its dynamic config, so that begun sectors go first',
      );

/** A sector takes up to three days, and its proof must be fetched before Temporal deletes the workflow. */
const MIN_DAYS = 3;
const RECOMMENDED_DAYS = 30;

export function judgeRetention(ms: number): Verdict {
  if (ms >= RECOMMENDED_DAYS * DAY_MS) return ok(duration(ms));
  const verdict = ms < MIN_DAYS * DAY_MS ? fail : warn;
  return verdict(
    `closed workflows are retained for ${duration(ms)}`,
    `${RECOMMENDED_DAYS} days or more: afterwards a sector's proof and history are deleted`,
    'run sealflow setup (365 days, or --retention-days)',
  );
}

/** Names of `temporal.api.enums.v1.IndexedValueType`, by number. */
const TYPES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

/** @param existing the server's custom attributes: name to type number */
export function judgeAttributes(existing: Readonly<Record<string, number>>): Verdict {
  const wrong = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => {
    const found = existing[name];
    if (found === undefined) return [`${name} is missing`];
    return TYPES[found] === type ? [] : [`${name} is ${TYPES[found] ?? `of type ${found}`}`];
  });
  const names = Object.keys(SEARCH_ATTRIBUTES);
  if (wrong.length === 0) return ok(names.join(' '));
  const retyped = wrong.some((text) => !text.endsWith(' is missing'));
  return fail(
    wrong.join(', '),
    Object.entries(SEARCH_ATTRIBUTES)
      .map(([name, type]) => `${name} ${type}`)
      .join(', '),
    retyped
      ? 'remove those of another type (temporal operator search-attribute remove), then run sealflow setup; or use another namespace'
      : 'run sealflow setup',
  );
}

/** @param partitions of a task queue of the group's activities */
export const judgePriority = (partitions: number): Verdict =>
  partitions === 1
    ? ok('strict: each task queue has one partition')
    : warn(
        `${partitions} partitions of each task queue: priority and order hold within each only`,
        'one partition, so that high priority always goes first, and then what came first',
        'set matching.numTaskqueueReadPartitions and matching.numTaskqueueWritePartitions to 1 in the dynamic config of the server',
      );

/** @param pollers identities that polled the workflow queue in the last minutes */
export const judgeOrchestrators = (pollers: readonly string[]): Verdict =>
  pollers.length > 0
    ? ok(pollers.join(' '))
    : warn(
        'nobody polls for workflow tasks',
        'an orchestrator, better two on different hosts: without one no sector makes progress',
        'run sealflow orchestrator',
      );
