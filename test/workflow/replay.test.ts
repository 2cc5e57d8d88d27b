/**
 * Sectors take days, so workflows started by an earlier release must continue with the current code. These are
 * histories of such workflows. A failure here means that a change needs `patched` (see test/histories/record.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { bundleCode, quiet } from '../helpers/temporal.js';

interface RecordedEvent {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowId: string };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}

interface Recorded {
  events: RecordedEvent[];
}

const directory = new URL('../histories/', import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
const read = (name: string): Recorded =>
  JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Recorded;

describe('a recorded history', () => {
  let workflowBundle: WorkflowBundleOption;

  beforeAll(async () => {
    quiet();
    const shared = inject('shared');
    workflowBundle = shared ? { codePath: shared.bundle } : { code: await bundleCode() };
  });

  const replay = (history: Recorded): Promise<void> => {
    const id = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
    return Worker.runReplayHistory({ workflowBundle }, history, id);
  };

  test('exists for each scenario', () => {
    expect(names.toSorted()).toEqual([
      'aborted.json',
      'attention.json',
      'cancelled.json',
      'chain.json',
      'deadlines.json',
      'landed.json',
      'normal.json',
      'restored.json',
      'seed-late.json',
      'step-back.json',
      'told.json',
    ]);
  });

  test.each(names)('%s replays with the current code', async (name) => {
    await replay(read(name));
  });

  test('does not replay when the order of activities differs', async () => {
    const history = read('normal.json');
    const types = history.events.flatMap(
      (event) => event.activityTaskScheduledEventAttributes?.activityType ?? [],
    );
    const [first, second] = types;
    if (!first || !second) throw new Error('normal.json has no activities');
    [first.name, second.name] = [second.name, first.name];
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  test('contains nothing about the machine that recorded it', () => {
    for (const name of names) {
      const text = JSON.stringify(read(name));
      expect(text).not.toMatch(/stackTrace|file:|node_modules|\/(home|root|tmp|usr)\//);
      const identities = [...text.matchAll(/"identity":"([^"]*)"/g)].map(([, identity]) => identity);
      expect(new Set(identities)).toEqual(new Set(['test']));
    }
  });
});
