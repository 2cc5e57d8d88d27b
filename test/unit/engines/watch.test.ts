import type { Attempt } from '../../../src/paths.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { watchEngine, type End, type Watch } from '../../../src/engines/watch.js';
import type { Progress } from '../../../src/engines/protocol.js';
import { registerMount } from '../../../src/mounts/mounts.js';
import { TIMES } from '../../../src/phases.js';
import { writeAttempt, writeProgress } from '../../helpers/attempts.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hangMount, makeFifo } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HANG = 300_000;
/** The clock is mocked; polls run every few milliseconds. */
let clock: number;
let attempt: Attempt;
let pid: number;
let kill: () => Promise<void>;
let seen: Progress[];
let stop: AbortController;

beforeEach(async () => {
  clock = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
  onTestFinished(() => void vi.restoreAllMocks());
  attempt = await writeAttempt(await temporaryDirectory(), '1/P2-1');
  const child = spawn('sleep', ['1000']);
  pid = child.pid as number;
  const ended = once(child, 'exit');
  kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  seen = [];
  stop = new AbortController();
});

/** Writes the engine's progress and waits until the watch has read it. */
async function work(changes: Partial<Progress>): Promise<void> {
  const { counter = 1 } = changes;
  await writeProgress(attempt.directory, { pid, counter, ...changes });
  await eventually(() => seen.at(-1)?.counter === counter);
}

interface Watching {
  end: Promise<End>;
  isOver: () => boolean;
}

function watch(changes: Partial<Watch> = {}): Watching {
  let over = false;
  const end = watchEngine({
    attempt,
    times: { ...TIMES, enginePoll: 2 },
    hangMs: HANG,
    signal: stop.signal,
    onProgress: (progress) => seen.push(progress),
    ...changes,
  }).finally(() => {
    over = true;
  });
  end.catch(() => undefined);
  return { end, isOver: () => over };
}

/** Waits for several more polls. */
async function untilPolled(): Promise<void> {
  const before = seen.length;
  await eventually(() => seen.length >= before + 3);
}

describe('an engine', () => {
  test('has ended when its process is gone', async () => {
    const { end } = watch();
    await work({ step: 'layer 1' });
    await kill();
    expect(await end).toBe('ended');
    expect(seen[0]).toMatchObject({ step: 'layer 1', pid });
  });

  test('has ended when another has its process ID', async () => {
    const { end } = watch();
    await work({ startTime: 1 });
    expect(await end).toBe('ended');
  });

  test.each(['result.json', 'error.json'])('has ended when there is %s without progress', async (name) => {
    await writeFile(join(attempt.directory, name), '{}');
    expect(await watch().end).toBe('ended');
  });

  test('has ended as soon as its parent knows', async () => {
    await writeProgress(attempt.directory, { pid });
    const slow = { ...TIMES, enginePoll: 2 ** 30 };
    expect(await watch({ ended: Promise.resolve(), times: slow }).end).toBe('ended');
  });

  // A torn read, or a mount that is gone for a moment.
  test('has not vanished because its progress cannot be read at the moment', async () => {
    const { end, isOver } = watch();
    await work({ counter: 1 });
    clock += TIMES.engineStart;
    await rename(join(attempt.directory, 'progress.json'), join(attempt.directory, 'away'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isOver()).toBe(false);
    await work({ counter: 2 });
    await kill();
    expect(await end).toBe('ended');
  });

  test('never appeared when it ended without progress', async () => {
    expect(await watch({ ended: Promise.resolve() }).end).toBe('never appeared');
  });

  test('never appeared when it writes no progress in its time to start', async () => {
    const { end, isOver } = watch();
    clock += TIMES.engineStart - 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isOver()).toBe(false);
    clock += 1;
    expect(await end).toBe('never appeared');
  });
});

describe('an engine hangs', () => {
  test('when it is alive and has written no progress for the limit', async () => {
    const { end, isOver } = watch({ ended: new Promise(() => undefined) });
    clock += HANG - 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isOver()).toBe(false);
    clock += 1;
    expect(await end).toBe('hangs');
  });

  test('when step, fraction and CPU time do not change for the limit', async () => {
    const { end, isOver } = watch();
    await work({ counter: 1 });
    clock += HANG - 1;
    await work({ counter: 2 });
    await untilPolled();
    expect(isOver()).toBe(false);
    clock += 1;
    expect(await end).toBe('hangs');
    expect(await isAlive(pid)).toBe(true);
  });

  test('although it refreshes its progress, which costs CPU time', async () => {
    const { end } = watch();
    await work({ counter: 1, cpuSeconds: 10 });
    clock += HANG / 2;
    await work({ counter: 2, cpuSeconds: 10 + HANG / 1e6 / 2 });
    clock += HANG / 2;
    expect(await end).toBe('hangs');
  });

  test.each([
    ['step', (i: number) => ({ step: `layer ${i}` })],
    ['fraction', (i: number) => ({ fraction: i / 10 })],
    ['CPU time', (i: number) => ({ cpuSeconds: i })],
    ['CPU time a little at a time', (i: number) => ({ cpuSeconds: i * 0.31 })],
  ])('not while its %s moves', async (_, change) => {
    const { end, isOver } = watch();
    for (let i = 0; i < 5; i++) {
      await work({ counter: i, ...change(i) });
      await untilPolled();
      expect(isOver()).toBe(false);
      clock += HANG - 1;
    }
    clock += 1;
    expect(await end).toBe('hangs');
  });

  test('not because it was adopted late in its work', async () => {
    await writeProgress(attempt.directory, { pid, cpuSeconds: 1e6 });
    const { isOver } = watch();
    await untilPolled();
    clock += HANG - 1;
    await untilPolled();
    expect(isOver()).toBe(false);
  });
});

describe('an aborted watch', () => {
  test('throws the reason and leaves the engine alone', async () => {
    const { end } = watch();
    await work({});
    stop.abort(new Error('enough'));
    await expect(end).rejects.toThrow('enough');
    expect(await isAlive(pid)).toBe(true);
  });

  test('does not poll at all', async () => {
    stop.abort(new Error('enough'));
    await expect(watch().end).rejects.toThrow('enough');
    expect(seen).toEqual([]);
  });
});

describe('a mount that hangs', () => {
  let reported: string[];
  const untilReported = async (): Promise<void> => {
    const before = reported.length;
    await eventually(() => reported.length >= before + 3);
  };
  const watchMount = (changes: Partial<Watch> = {}): Watching =>
    watch({ onHung: ({ progress }) => reported.push(progress), ...changes });
  beforeEach(() => {
    reported = [];
  });

  test('proves nothing about the engine, and its time does not count', async () => {
    const { end, isOver } = watchMount();
    await work({ counter: 1 });
    const comeBack = await hangMount(attempt.directory);
    await untilReported();
    expect(reported[0]).toMatch(new RegExp(`^${attempt.directory} hung for \\d+ s$`));
    clock += 10 * HANG;
    await untilReported();
    expect(isOver()).toBe(false);
    await comeBack();
    await work({ counter: 2 });
    await untilPolled();
    clock += HANG - 1;
    await untilPolled();
    expect(isOver()).toBe(false);
    clock += 1;
    expect(await end).toBe('hangs');
  });

  test('is waited for when the engine has ended meanwhile', async () => {
    let engineEnds: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (engineEnds = resolve));
    const { end, isOver } = watchMount({ ended });
    await work({});
    const comeBack = await hangMount(attempt.directory);
    await kill();
    engineEnds();
    await untilReported();
    expect(isOver()).toBe(false);
    await comeBack();
    expect(await end).toBe('ended');
  });

  test('does not shorten the time in which an engine must appear', async () => {
    const comeBack = await hangMount(attempt.directory);
    const { end, isOver } = watchMount();
    await untilReported();
    clock += 10 * TIMES.engineStart;
    await untilReported();
    await comeBack();
    await work({});
    expect(isOver()).toBe(false);
    await kill();
    expect(await end).toBe('ended');
  });

  test('does not hold up a watch that is aborted', async () => {
    registerMount(attempt.directory, { quickMs: 3_600_000, slowMs: 3_600_000 });
    await makeFifo(join(attempt.directory, 'progress.json'));
    const { end } = watchMount();
    stop.abort(new Error('enough'));
    await expect(end).rejects.toThrow('enough');
  });
});

describe('a long watch', () => {
  test('retains no memory of its polls', { timeout: 120_000 }, async () => {
    // A spy retains each call.
    vi.restoreAllMocks();
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    let count = 0;
    let ofEngine: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => (ofEngine = resolve));
    await writeProgress(attempt.directory, { pid });
    const { end } = watch({
      ended,
      times: { ...TIMES, enginePoll: 0 },
      onProgress: () => void (count += 1),
    });
    const heapAfter = async (times: number): Promise<number> => {
      await vi.waitFor(() => expect(count).toBeGreaterThanOrEqual(times), { timeout: 100_000, interval: 20 });
      gc();
      return process.memoryUsage().heapUsed;
    };
    const before = await heapAfter(1_000);
    const counted = count;
    const grown = (await heapAfter(7_000)) - before;
    ofEngine?.();
    expect(await end).toBe('ended');
    // A race per poll left more than 300 bytes.
    expect(grown / (count - counted)).toBeLessThan(150);
  });
});
