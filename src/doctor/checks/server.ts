/** The Temporal server and its namespace: what `sealflow setup` sees to. */
import { SEARCH_ATTRIBUTES } from '../../search-attributes.js';
import { isAtLeast } from '../../machine/versions.js';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { duration } from '../../units.js';

/** The first whose servers give begun sectors their priority without being told to (`matching.useNewMatcher`). */
const TRIED_FROM = '1.31';

export const judgeVersion = (version: string): Verdict =>
  isAtLeast(version, TRIED_FROM)
    ? ok(version)
    : warn(
        `Temporal server ${version || 'of unknown version'}`,
        `${TRIED_FROM} or newer: tried with sealflow`,
        'upgrade it; until then set matching.useNewMatcher = true in its dynamic configuration, so that begun sectors go first',
      );

const DAY_MS = 86_400_000;
/** A sector takes up to three days, and its proof must be fetched from its workflow before that is forgotten. */
const SHORTEST_DAYS = 3;
const LONG_DAYS = 30;

export function judgeRetention(ms: number): Verdict {
  if (ms >= LONG_DAYS * DAY_MS) return ok(duration(ms));
  const tell = ms < SHORTEST_DAYS * DAY_MS ? fail : warn;
  return tell(
    `workflows that have ended are kept for ${duration(ms)}`,
    `${LONG_DAYS} days or more: proof and history of a sector are gone afterwards`,
    'sealflow setup (365 days, or --retention-days)',
  );
}

/** `temporal.api.enums.v1.IndexedValueType`, by number. */
const TYPES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

/** @param existing number of the type by name, as the server lists custom attributes */
export function judgeAttributes(existing: Readonly<Record<string, number>>): Verdict {
  const wrong = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => {
    const found = existing[name];
    if (found === undefined) return [`${name} missing`];
    return TYPES[found] === type ? [] : [`${name} is ${TYPES[found] ?? `of type ${found}`}`];
  });
  const names = Object.keys(SEARCH_ATTRIBUTES);
  if (wrong.length === 0) return ok(names.join(' '));
  const retyped = wrong.some((text) => !text.endsWith(' missing'));
  return fail(
    wrong.join(', '),
    Object.entries(SEARCH_ATTRIBUTES)
      .map(([name, type]) => `${name} ${type}`)
      .join(', '),
    retyped
      ? 'remove those of another type (temporal operator search-attribute remove), then sealflow setup; or take another namespace'
      : 'sealflow setup',
  );
}

/** @param pollers who has asked for workflows in the last minutes */
export const judgeOrchestrators = (pollers: readonly string[]): Verdict =>
  pollers.length > 0
    ? ok(pollers.join(' '))
    : warn(
        'nobody asks for workflows',
        'an orchestrator, better two on different hosts: without one no sector goes on',
        'sealflow orchestrator',
      );
