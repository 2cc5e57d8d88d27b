import { expect, test } from 'vitest';
import { Pace } from '../../../src/workers/pace.js';

const MINUTE = 60_000;

test('what is left follows from how the fraction has grown since an engine was first seen', () => {
  const pace = new Pace();
  expect(pace.left()).toBeUndefined();
  pace.record(0.4, 0);
  pace.record(0.41, MINUTE / 2);
  expect(pace.left()).toBeUndefined();
  pace.record(null, MINUTE);
  expect(pace.left()).toBeUndefined();
  pace.record(0.5, 10 * MINUTE);
  expect(pace.left()).toBeCloseTo(50 * MINUTE, 3);
});

test('what stands still tells nothing, and what falls is counted anew', () => {
  const pace = new Pace();
  for (const minute of [0, 10]) pace.record(0.4, minute * MINUTE);
  expect(pace.left()).toBeUndefined();
  pace.record(0.1, 20 * MINUTE);
  pace.record(0.2, 30 * MINUTE);
  expect(pace.left()).toBeCloseTo(80 * MINUTE, 3);
});
