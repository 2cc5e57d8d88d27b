/** What `sealflow dev` prints without a terminal. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { plainDisplay } from '../../../src/dev/display.js';
import type { OnStep } from '../../../src/machine/on-step.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval', 'setTimeout'] });
});
afterEach(() => void vi.useRealTimers());

/** Runs one step; `work` moves the time. @returns the lines, without those of the whole run's clock */
async function linesOf(work: (onStep: OnStep) => void): Promise<string[]> {
  const lines: string[] = [];
  const display = plainDisplay((line) => lines.push(line.replace(/^\[.*?\] engine: /, '')));
  void display.step('engine', (onStep) => Promise.resolve(work(onStep)));
  await display.start();
  return lines;
}
const pass = (seconds: number): void => void vi.advanceTimersByTime(seconds * 1000);

test('a step prints its first text at once, then the newest every ten seconds', async () => {
  const lines = await linesOf((onStep) => {
    for (let i = 1; i <= 25; i++) {
      onStep(`compiling ${i}`);
      pass(1);
    }
  });
  expect(lines).toEqual(['compiling 1', 'compiling 10', 'compiling 20', 'done in 25.0 s']);
});

test('a text that is the same again is not printed', async () => {
  const lines = await linesOf((onStep) => {
    for (let i = 0; i < 50; i++) {
      onStep('waiting for the engine');
      pass(1);
    }
  });
  expect(lines).toEqual(['waiting for the engine', 'done in 50.0 s']);
});

test('the time that is left follows from the speed so far, once that is known', async () => {
  const lines = await linesOf((onStep) => {
    for (const percent of [0, 1, 10, 25, 50, 90]) {
      onStep('compiling', percent / 100);
      pass(10);
    }
  });
  expect(lines).toEqual([
    'compiling (0 %)',
    'compiling (1 %)',
    'compiling (10 %, 3 min left)',
    'compiling (25 %, 2 min left)',
    'compiling (50 %, 40 s left)',
    'compiling (90 %, 10 s left)',
    'done in 60.0 s',
  ]);
});

test('another part of a step, which begins at 0, is estimated by itself', async () => {
  const lines = await linesOf((onStep) => {
    onStep('fetching', 0);
    pass(10);
    onStep('fetching', 1);
    pass(10);
    onStep('compiling', 0);
    pass(10);
    onStep('compiling', 0.1);
    pass(10);
  });
  expect(lines.at(-2)).toBe('compiling (10 %, 2 min left)');
});

test('a step that fails says so', async () => {
  const lines = await linesOf(() => {
    throw new Error('no space');
  });
  expect(lines).toEqual(['failed after 0.0 s']);
});

test('a stop on demand is no failure, and one failure is reported once', async () => {
  const lines: string[] = [];
  const display = plainDisplay((line) => lines.push(line.replace(/^\[.*?\] /, '')));
  const failure = new Error('the engine does not compile');
  const never = (error: unknown) => () => Promise.reject(error);
  display.step('engine', never(failure)).catch(() => undefined);
  display.step('workers', never(failure)).catch(() => undefined);
  display.step('server', never(AbortSignal.abort().reason)).catch(() => undefined);
  await display.start();
  expect(lines).toEqual(['engine: failed after 0.0 s']);
});
