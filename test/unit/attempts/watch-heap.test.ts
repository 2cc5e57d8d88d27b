/** A watch of days: a P1 of 60 hours is looked at 430,000 times. */
import { expect, test, vi } from 'vitest';
import { watchEngine } from '../../../src/attempts/watch.js';
import { TIMES } from '../../../src/phases.js';
import { progressOf } from '../../helpers/attempts.js';
import { heapBytes } from '../../helpers/heap.js';

const LOOKS = 100_000;
const WARM_UP = 1000;
/** 316 bytes of each look were kept once. */
const LEAK_BYTES = LOOKS * 50;

const shown = await progressOf();
// All that takes time: files, /proc, and the wait between two looks.
vi.mock('../../../src/attempts/progress.js', () => ({ readProgress: () => Promise.resolve(shown) }));
vi.mock('../../../src/attempts/processes.js', () => ({ isAlive: () => true }));
vi.mock('node:timers/promises', () => ({
  setTimeout: () => new Promise((resolve) => setImmediate(resolve)),
}));

test('10^5 looks at an engine leave nothing on the heap', async () => {
  const stop = new AbortController();
  // Held until the end: what hangs on it is what leaks.
  const ended = new Promise<void>(() => undefined);
  let looks = 0;
  let before = 0;
  const end = watchEngine({
    attempt: { epoch: 1, phase: 'P1', number: 1, at: '1/P1-1', directory: '/nowhere' },
    times: TIMES,
    hangMs: Infinity,
    signal: stop.signal,
    ended,
    onProgress: () => {
      looks += 1;
      if (looks === WARM_UP) before = heapBytes();
      if (looks === WARM_UP + LOOKS) stop.abort(new Error('enough'));
    },
  });
  await expect(end).rejects.toThrow('enough');
  expect(heapBytes() - before).toBeLessThan(LEAK_BYTES);
  expect(ended).toBeInstanceOf(Promise);
}, 60_000);
