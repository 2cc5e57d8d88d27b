/** The highest epoch that a workflow knows of: whatever its job names counts, or names of attempts come again. */
import { expect, test } from 'vitest';
import { knownEpochOf, type TaskInput } from '../../../src/activities/task.js';

const ref = (at: string) => ({ at, host: '10.0.0.1' });

test.each<readonly [string, object, number]>([
  ['nothing', {}, 0],
  ['inputs of a phase', { inputs: { P1: ref('1/P1-1'), P2: ref('3/P2-1') } }, 3],
  ['results, for P6', { results: { P2: ref('4/P2-1'), P5: ref('2/P5-9') } }, 4],
  ['what is invalidated', { invalidated: ['5/P1-1', '2/P2-1'] }, 5],
  ['what was reported last', { lastReported: '6/P3-2' }, 6],
  ['all of it', { inputs: { P1: ref('2/P1-1') }, invalidated: ['7/P1-1'], lastReported: '3/P2-1' }, 7],
])('told by %s', (_, input, epoch) => {
  expect(knownEpochOf(input as TaskInput)).toBe(epoch);
});
