import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { invalidateAttempt } from '../../../src/sector-directory/changes/attempts.js';
import {
  inspectPhase,
  type Inspection,
  type Situation,
} from '../../../src/sector-directory/inspect-phase.js';
import { hostIdentity, type HostIdentity } from '../../../src/engines/processes.js';
import { TIMES } from '../../../src/phases.js';
import { HASH, OTHER_HASH, startTimeOf, writeAttempt } from '../../helpers/attempts.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOST = '10.0.0.1';
const FOREIGN = { host: '10.0.0.2', bootId: 'another' };
const NOW = 1_000_000_000;
/** When the look was queued. */
const OFFERED = NOW - 50;

let sector: string;
let self: HostIdentity;
beforeEach(async () => {
  sector = await temporaryDirectory();
  self = await hostIdentity(HOST);
});

const see = (changes: Partial<Inspection> = {}): Promise<Situation> =>
  inspectPhase({
    sectorDirectory: sector,
    phase: 'P2',
    epoch: 2,
    inputHash: HASH,
    offeredAt: OFFERED,
    now: NOW,
    self,
    times: TIMES,
    isOurs: () => false,
    ...changes,
  });

/** A process that has ended and was waited for. */
async function deadProcess(): Promise<{ pid: number; startTime: number }> {
  const child = spawn('sleep', ['1000']);
  const pid = child.pid as number;
  const startTime = await startTimeOf(pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return { pid, startTime };
}

async function liveProcess(): Promise<{ pid: number; startTime: number }> {
  const child = spawn('sleep', ['1000']);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const pid = child.pid as number;
  return { pid, startTime: await startTimeOf(pid) };
}

describe('a result', () => {
  test('counts', async () => {
    await writeAttempt(sector, '2/P2-1', { result: { outputs: { commR: 'aa'.repeat(32) } } });
    expect(await see()).toMatchObject({
      is: 'result',
      attempt: { at: '2/P2-1' },
      result: { outputs: { commR: 'aa'.repeat(32) } },
    });
  });

  test('of several the lowest counts, by number', async () => {
    for (const at of ['2/P2-10', '2/P2-9', '10/P2-1']) await writeAttempt(sector, at, { result: {} });
    expect(await see({ epoch: 10 })).toMatchObject({ is: 'result', attempt: { at: '2/P2-9' } });
  });

  test('of a lower epoch counts, and goes before an engine that lives', async () => {
    await writeAttempt(sector, '1/P2-1', { result: {} });
    await writeAttempt(sector, '2/P2-1', { progress: {} });
    expect(await see()).toMatchObject({ is: 'result', attempt: { at: '1/P2-1' } });
  });

  test('of a higher epoch counts', async () => {
    await writeAttempt(sector, '3/P2-1', { result: {} });
    expect(await see()).toMatchObject({ is: 'result' });
  });

  test('of another input does not count', async () => {
    await writeAttempt(sector, '2/P2-1', {
      job: { inputHash: OTHER_HASH },
      result: { inputHash: OTHER_HASH },
    });
    expect(await see()).toEqual({ is: 'free', number: 2, earlier: [] });
  });

  test('that is not of its job does not count', async () => {
    await writeAttempt(sector, '2/P2-1', {
      progress: await deadProcess(),
      result: { inputHash: OTHER_HASH },
    });
    expect(await see()).toMatchObject({ is: 'free', number: 2 });
  });

  test('of another phase does not count', async () => {
    await writeAttempt(sector, '2/P1-1', { result: {} });
    expect(await see()).toEqual({ is: 'free', number: 1, earlier: [] });
  });

  test('whose file names another phase than its attempt does not count', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: await deadProcess(), result: { phase: 'P1' } });
    expect(await see()).toMatchObject({ is: 'free', number: 2 });
  });

  test('goes before an error in the same attempt', async () => {
    await writeAttempt(sector, '2/P2-1', { result: {}, error: {} });
    expect(await see()).toMatchObject({ is: 'result' });
  });
});

describe('an engine of this host', () => {
  test('that lives is waited for', async () => {
    const engine = await liveProcess();
    await writeAttempt(sector, '2/P2-1', { progress: engine });
    expect(await see()).toMatchObject({ is: 'live here', attempt: { at: '2/P2-1' }, progress: engine });
  });

  test('that is dead leaves the phase free', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: await deadProcess() });
    expect(await see()).toMatchObject({ is: 'free', number: 2, earlier: [{ at: '2/P2-1' }] });
  });

  test('whose process ID belongs to another now is dead', async () => {
    const engine = await liveProcess();
    await writeAttempt(sector, '2/P2-1', { progress: { ...engine, startTime: engine.startTime - 1 } });
    expect(await see()).toMatchObject({ is: 'free' });
  });

  test('that has not shown itself is starting', async () => {
    await writeAttempt(sector, '2/P2-1');
    expect(await see({ isOurs: ({ at }) => at === '2/P2-1' })).toMatchObject({
      is: 'starting',
      attempt: { at: '2/P2-1' },
    });
  });

  test('is not the owner when a higher attempt is there', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: await liveProcess() });
    await writeAttempt(sector, '2/P2-2', { progress: await deadProcess() });
    expect(await see()).toMatchObject({ is: 'free', number: 3 });
  });

  test('of a lower epoch does not own the phase', async () => {
    await writeAttempt(sector, '1/P2-1', { progress: await liveProcess() });
    expect(await see()).toMatchObject({ is: 'free', number: 1, earlier: [{ at: '1/P2-1' }] });
  });

  test('that works for another input does not own the phase', async () => {
    await writeAttempt(sector, '2/P2-1', { job: { inputHash: OTHER_HASH }, progress: await liveProcess() });
    expect(await see()).toEqual({ is: 'free', number: 2, earlier: [] });
  });
});

describe('an engine elsewhere', () => {
  test.each([
    ['another host', { host: '10.0.0.2' }],
    ['this host before it was booted', { host: HOST, bootId: 'another' }],
    ['another container of this host', { host: HOST, pidNs: 'pid:[1]' }],
  ])('is one of %s', async (_, change) => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...(await deadProcess()), ...change, counter: 17 } });
    expect(await see()).toMatchObject({
      is: 'live elsewhere',
      host: change.host,
      observed: { at: '2/P2-1', counter: 17 },
    });
  });

  test('is seen first at a time that is not known, and dated by the next look', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    const first = await see();
    expect(first).toMatchObject({ is: 'live elsewhere' });
    const observed = { at: '2/P2-1', counter: 17 };
    expect((first as { observed?: unknown }).observed).toEqual(observed);
    // However long the first look was in the queue: the second was queued after it.
    expect(await see({ observed })).toMatchObject({
      is: 'live elsewhere',
      observed: { ...observed, since: OFFERED },
    });
    // A look that takes long is time that has passed.
    expect(await see({ observed, now: OFFERED + TIMES.observation })).toMatchObject({ is: 'free' });
  });

  const seen = (since: number, counter = 17, at = '2/P2-1') => ({ observed: { at, counter, since } });

  test('lives while its counter moves', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 18 } });
    expect(await see(seen(NOW - 10 * TIMES.observation))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-1', counter: 18 },
    });
  });

  test('lives until its counter has stood still long enough', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    const since = NOW - TIMES.observation + 1;
    expect(await see(seen(since))).toMatchObject({ is: 'live elsewhere', observed: { counter: 17, since } });
  });

  test('is dead when its counter has stood still long enough', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    expect(await see(seen(NOW - TIMES.observation))).toMatchObject({
      is: 'free',
      number: 2,
      earlier: [{ at: '2/P2-1' }],
    });
  });

  test('is not judged by what was seen of another attempt', async () => {
    await writeAttempt(sector, '2/P2-2', { progress: { ...FOREIGN, counter: 17 } });
    expect(await see(seen(NOW - TIMES.observation))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-2', counter: 17 },
    });
  });

  test.each([
    ['of this host', HOST, TIMES.engineStart],
    ['of another host, whose files may be seen late,', '10.0.0.2', TIMES.observation],
  ])('%s that has not shown itself is given its time', async (_, host, patience) => {
    const madeBy = { host, worker: 'test', version: '0.0.0' };
    await writeAttempt(sector, '2/P2-1', { job: { madeBy } });
    expect(await see()).toMatchObject({
      is: 'live elsewhere',
      host,
      observed: { at: '2/P2-1', counter: -1 },
    });
    expect(await see(seen(NOW - patience + 1, -1))).toMatchObject({ is: 'live elsewhere' });
    expect(await see(seen(NOW - patience, -1))).toMatchObject({ is: 'free', number: 2 });
  });

  // A step back renames what it invalidates.
  test('of an attempt that is renamed while one looks is given its time', async () => {
    await writeAttempt(sector, '2/P2-1');
    const isOurs = (): boolean => {
      renameSync(join(sector, '2/P2-1'), join(sector, '2/invalidated-P2-1'));
      return false;
    };
    expect(await see({ isOurs })).toMatchObject({ is: 'live elsewhere', host: 'unknown' });
  });

  test('that shows itself at last begins to be observed', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 1 } });
    expect(await see(seen(NOW - TIMES.observation, -1))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-1', counter: 1 },
    });
  });
});

describe('an error', () => {
  test('that the workflow has not heard of is told', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: {}, error: { exit: 4, type: 'StepBack', from: 'P1' } });
    expect(await see()).toMatchObject({
      is: 'failed',
      attempt: { at: '2/P2-1' },
      error: { type: 'StepBack', from: 'P1' },
    });
  });

  test('that it has heard of is followed by the next attempt', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: {}, error: {} });
    expect(await see({ lastReported: '2/P2-1' })).toMatchObject({
      is: 'free',
      number: 2,
      earlier: [{ at: '2/P2-1' }],
    });
  });

  test('that is newer than the one it has heard of is told', async () => {
    for (const at of ['2/P2-1', '2/P2-2']) await writeAttempt(sector, at, { error: {} });
    expect(await see({ lastReported: '2/P2-1' })).toMatchObject({ is: 'failed', attempt: { at: '2/P2-2' } });
  });

  test('of a lower epoch, or of another input, is not told', async () => {
    await writeAttempt(sector, '1/P2-1', { error: {} });
    await writeAttempt(sector, '2/P2-1', { job: { inputHash: OTHER_HASH }, error: {} });
    expect(await see()).toMatchObject({ is: 'free', number: 2, earlier: [{ at: '1/P2-1' }] });
  });
});

describe('an attempt that was made void', () => {
  const invalidated = async (at: string, options = {}): Promise<void> => {
    await writeAttempt(sector, at, { result: {}, ...options });
    await invalidateAttempt(sector, at);
  };

  test('lends what it has, behind those that were not', async () => {
    await writeAttempt(sector, '1/P2-1', { progress: await deadProcess() });
    await invalidated('1/P2-2');
    await invalidated('2/P2-1', { job: { inputHash: OTHER_HASH } });
    const situation = await see();
    expect(situation.is === 'free' && situation.earlier.map(({ directory }) => directory)).toEqual([
      join(sector, '1/P2-1'),
      join(sector, '1/invalidated-P2-2'),
    ]);
  });

  test('lends nothing when it is not the first', async () => {
    await invalidated('1/P2-1');
    await invalidated('2/P2-1');
    expect(await see()).toEqual({ is: 'free', number: 2, earlier: [] });
  });
});

describe('a free phase', () => {
  test('of a sector without attempts begins with 1', async () => {
    expect(await see()).toEqual({ is: 'free', number: 1, earlier: [] });
    await mkdir(join(sector, '2'));
    expect(await see()).toEqual({ is: 'free', number: 1, earlier: [] });
  });

  test('never gets a number again', async () => {
    for (const name of ['2/invalidated-P2-4', '2/gone-P2-6', '3/P2-9'])
      await mkdir(join(sector, name), { recursive: true });
    expect(await see()).toMatchObject({ is: 'free', number: 7 });
  });

  // The next number is for the lease: who takes it over the head of an attempt that was never looked at supersedes it.
  test('is not what became an attempt while one looked', async () => {
    let made = false;
    const looked: Inspection = {
      sectorDirectory: sector,
      phase: 'P2',
      get epoch(): number {
        if (!made) mkdirSync(join(sector, '2/P2-1'), { recursive: true });
        made = true;
        return 2;
      },
      inputHash: HASH,
      offeredAt: OFFERED,
      now: NOW,
      self,
      times: TIMES,
      isOurs: () => false,
    };
    expect(await inspectPhase(looked)).not.toMatchObject({ is: 'free', number: 2 });
  });

  test('knows what was made for the same input, newest first', async () => {
    for (const at of ['1/P2-9', '1/P2-10', '2/P2-1'])
      await writeAttempt(sector, at, { progress: await deadProcess() });
    await writeAttempt(sector, '2/P2-2', { job: { inputHash: OTHER_HASH } });
    const situation = await see();
    expect(situation.is === 'free' && situation.earlier.map(({ at }) => at)).toEqual([
      '2/P2-1',
      '1/P2-10',
      '1/P2-9',
    ]);
  });
});
