import type { Attempt } from '../../../src/paths.js';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeAdoption } from '../../../src/sector-directory/changes/attempts.js';
import { hostIdentity, startTimeOf, workerName } from '../../../src/engines/processes.js';
import { readProgress } from '../../../src/engines/progress.js';
import { scaledTimes } from '../../../src/phases.js';
import { EngineWatch } from '../../../src/workers/engine-watch.js';
import { writeAttempt } from '../../helpers/attempts.js';
import { startEngine, untilShown, type RunningEngine } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOST = '10.0.0.1';

let localDir: string;
let sector: string;
let waited: Set<string>;
let mounted: boolean;
let logged: string[];
let watch: EngineWatch;
beforeEach(async () => {
  localDir = await temporaryDirectory();
  sector = join(localDir, 'nfs', '10.10.4.23', 'cache', 's-t01000-7');
  [waited, mounted, logged] = [new Set(), true, []];
  const record = (message: string): void => void logged.push(message);
  watch = new EngineWatch({
    localDir,
    self: await hostIdentity(HOST),
    log: { info: record, warn: record },
    isMounted: () => Promise.resolve(mounted),
    isAwaited: (directory) => waited.has(directory),
    times: { ...scaledTimes(0.02), terminateGrace: 1_000 },
  });
});

/** Starts an engine of P1 that runs until a signal or its lease ends it. */
async function atWork(
  at = '1/P1-1',
  { hangMs = 3_600_000, words = '' } = {},
): Promise<RunningEngine & { directory: string }> {
  // It checks its lease so rarely that the watch has to terminate it.
  const job = { hangMs, leaseEveryMs: 3_600_000, madeBy: { host: HOST, worker: 'test', version: '0' } };
  const { directory } = await writeAttempt(sector, at, { job });
  const checkpoints = join(localDir, 'checkpoints');
  await mkdir(checkpoints, { recursive: true });
  await writeFile(join(checkpoints, words ? 's-t01000-7-P1.hang' : 's-t01000-7-P1.hold'), words);
  const engine = await startEngine(directory, { FIXTURE_CHECKPOINTS: checkpoints });
  await untilShown(directory);
  return { ...engine, directory };
}

/** Waits, without letting anything else of this process run, until a process is gone, or a zombie. */
function untilEnded(pid: number): void {
  while (/\) [^ZX] /.test(statOf(pid)));
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** Inspects until the condition holds. */
const inspectUntil = (condition: () => Promise<boolean> | boolean): Promise<void> =>
  eventually(async () => {
    await watch.inspect();
    return await condition();
  });

describe('an engine that no activity waits for', () => {
  test('is logged once and left running', async () => {
    const { pid, directory } = await atWork();
    for (let i = 0; i < 5; i++) await watch.inspect();
    expect(watch.unwaited.map(({ attempt }) => attempt.directory)).toEqual([directory]);
    expect(logged).toEqual([
      expect.stringMatching(/^s-t01000-7 1\/P1-1: engine [0-9]+ is at work; no activity/),
    ]);
    expect(await isAlive(pid)).toBe(true);
  });

  test('belongs to another live worker that has adopted it', async () => {
    const { directory } = await atWork();
    const adoptedBy = async (pid: number): Promise<string[]> => {
      const worker = workerName(HOST, { pid, startTime: startTimeOf(process.ppid) });
      await writeAdoption({ directory } as Attempt, worker);
      await watch.inspect();
      return watch.unwaited.map(({ attempt }) => attempt.directory);
    };
    expect(await adoptedBy(process.ppid)).toEqual([]);
    expect(watch.live).toHaveLength(1);
    expect(await adoptedBy(2 ** 22 + 1)).toEqual([directory]);
  });

  test('is terminated when it hangs', async () => {
    const { pid, ended } = await atWork('1/P1-1', { hangMs: 200, words: '*' });
    await inspectUntil(async () => !(await isAlive(pid)));
    expect(await ended).toBe('SIGTERM');
    expect(logged.at(-1)).toContain('hangs: terminating it');
  });

  test('is killed when it hangs and ignores SIGTERM', async () => {
    const { pid, ended } = await atWork('1/P1-1', { hangMs: 200, words: '*:deaf' });
    await inspectUntil(async () => !(await isAlive(pid)));
    expect(await ended).toBe('SIGKILL');
  });

  test('is killed when it hangs because it is stopped (SIGSTOP)', async () => {
    const { pid, ended } = await atWork('1/P1-1', { hangMs: 200 });
    process.kill(pid, 'SIGSTOP');
    await inspectUntil(async () => !(await isAlive(pid)));
    expect(await ended).toBe('SIGKILL');
  });
});

describe('an engine that an activity waits for', () => {
  test('and that ends with it during a scan holds no slot', async () => {
    const { pid, ended } = await atWork();
    let looks = 0;
    const ending = new EngineWatch({
      localDir,
      self: await hostIdentity(HOST),
      log: { info: (line) => void logged.push(line), warn: (line) => void logged.push(line) },
      isMounted: () => Promise.resolve(mounted),
      isAwaited() {
        // Between this look and the next one it ends, and so does its activity.
        if (looks++ > 0) return false;
        process.kill(pid, 'SIGKILL');
        untilEnded(pid);
        return true;
      },
    });
    await ending.inspect();
    expect(ending).toMatchObject({ live: [], unwaited: [] });
    expect(logged).toEqual([]);
    await ended;
  });

  test('is left to that activity, even when it hangs', async () => {
    const { pid, directory } = await atWork('1/P1-1', { hangMs: 1, words: '*' });
    waited.add(directory);
    for (let i = 0; i < 20; i++) await watch.inspect();
    expect(watch.unwaited).toEqual([]);
    expect(await isAlive(pid)).toBe(true);
    expect(logged).toEqual([]);
  });
});

describe('an engine that was superseded and does not notice', () => {
  test.each([
    ['a higher attempt', () => writeAttempt(sector, '1/P1-2')],
    ['a higher epoch', () => mkdir(join(sector, '2'))],
    [
      'an attempt that was invalidated',
      () => rename(join(sector, '1/P1-1'), join(sector, '1/invalidated-P1-1')),
    ],
    ['a sector that was renamed away', () => rename(sector, join(dirname(sector), '.gone-s-t01000-7-x'))],
  ])('by %s is terminated', async (_, supersede) => {
    const { pid } = await atWork();
    await watch.inspect();
    await supersede();
    await inspectUntil(async () => !(await isAlive(pid)));
  });

  test.each([
    ['another phase', () => writeAttempt(sector, '1/P2-9')],
    ['an earlier epoch', () => writeAttempt(sector, '1/P1-9')],
  ])('is not assumed because of %s', async (_, make) => {
    const { pid } = await atWork('2/P1-1');
    await make();
    for (let i = 0; i < 10; i++) await watch.inspect();
    expect(await isAlive(pid)).toBe(true);
    expect(logged.join()).not.toContain('superseded');
  });

  test('is left running while the group’s directory is not mounted', async () => {
    const { pid, directory } = await atWork();
    await watch.inspect();
    mounted = false;
    await rename(sector, join(localDir, 'elsewhere'));
    for (let i = 0; i < 10; i++) await watch.inspect();
    expect(await isAlive(pid)).toBe(true);
    await rename(join(localDir, 'elsewhere'), sector);
    expect((await readProgress(directory))?.pid).toBe(pid);
  });
});

test('ignores engines of another group’s directory', async () => {
  const { pid, directory } = await atWork();
  const other = new EngineWatch({
    localDir: await temporaryDirectory(),
    self: await hostIdentity(HOST),
    log: { info: () => undefined, warn: () => undefined },
    isMounted: () => Promise.resolve(true),
    isAwaited: () => false,
  });
  await other.inspect();
  expect(other.unwaited).toEqual([]);
  await watch.inspect();
  expect(watch.unwaited.map((engine) => [engine.attempt.directory, engine.process.pid])).toEqual([
    [directory, pid],
  ]);
});
