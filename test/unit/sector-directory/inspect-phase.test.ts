import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
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
/** When the inspection was queued. */
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

  test('of a lower epoch counts, and takes precedence over a live engine', async () => {
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

  test('takes precedence over an error in the same attempt', async () => {
    await writeAttempt(sector, '2/P2-1', { result: {}, error: {} });
    expect(await see()).toMatchObject({ is: 'result' });
  });
});

describe('an engine of this host', () => {
  test('that is alive is waited for', async () => {
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

  test('that has not written progress is starting', async () => {
    await writeAttempt(sector, '2/P2-1');
    expect(await see({ isOurs: ({ at }) => at === '2/P2-1' })).toMatchObject({
      is: 'starting',
      attempt: { at: '2/P2-1' },
    });
  });

  test('is not the owner when a higher attempt exists', async () => {
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

  test('is first observed at an unknown time, and dated by the next inspection', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    const first = await see();
    expect(first).toMatchObject({ is: 'live elsewhere' });
    const observed = { at: '2/P2-1', counter: 17 };
    expect((first as { observed?: unknown }).observed).toEqual(observed);
    // However long the first inspection was in the queue: the second was queued after it.
    expect(await see({ observed })).toMatchObject({
      is: 'live elsewhere',
      observed: { ...observed, since: OFFERED },
    });
    // The duration of an inspection counts.
    expect(await see({ observed, now: OFFERED + TIMES.observation })).toMatchObject({ is: 'free' });
  });

  const seen = (since: number, counter = 17, at = '2/P2-1') => ({ observed: { at, counter, since } });

  test('is alive while its counter moves', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 18 } });
    expect(await see(seen(NOW - 10 * TIMES.observation))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-1', counter: 18 },
    });
  });

  test('is alive until its counter has not moved for long enough', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    const since = NOW - TIMES.observation + 1;
    expect(await see(seen(since))).toMatchObject({ is: 'live elsewhere', observed: { counter: 17, since } });
  });

  test('is dead when its counter has not moved for long enough', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 17 } });
    expect(await see(seen(NOW - TIMES.observation))).toMatchObject({
      is: 'free',
      number: 2,
      earlier: [{ at: '2/P2-1' }],
    });
  });

  test('is not judged by an observation of another attempt', async () => {
    await writeAttempt(sector, '2/P2-2', { progress: { ...FOREIGN, counter: 17 } });
    expect(await see(seen(NOW - TIMES.observation))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-2', counter: 17 },
    });
  });

  test.each([
    ['of this host', HOST, TIMES.engineStart],
    ['of another host, whose files may become visible late,', '10.0.0.2', TIMES.observation],
  ])('%s that has not written progress gets its time', async (_, host, patience) => {
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

  test('that writes progress at last begins to be observed', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: { ...FOREIGN, counter: 1 } });
    expect(await see(seen(NOW - TIMES.observation, -1))).toMatchObject({
      is: 'live elsewhere',
      observed: { at: '2/P2-1', counter: 1 },
    });
  });
});

describe('an error', () => {
  test('that the workflow does not know is reported', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: {}, error: { exit: 4, type: 'StepBack', from: 'P1' } });
    expect(await see()).toMatchObject({
      is: 'failed',
      attempt: { at: '2/P2-1' },
      error: { type: 'StepBack', from: 'P1' },
    });
  });

  test('that it knows is followed by the next attempt', async () => {
    await writeAttempt(sector, '2/P2-1', { progress: {}, error: {} });
    expect(await see({ lastReported: '2/P2-1' })).toMatchObject({
      is: 'free',
      number: 2,
      earlier: [{ at: '2/P2-1' }],
    });
  });

  test('that is newer than the one it knows is reported', async () => {
    for (const at of ['2/P2-1', '2/P2-2']) await writeAttempt(sector, at, { error: {} });
    expect(await see({ lastReported: '2/P2-1' })).toMatchObject({ is: 'failed', attempt: { at: '2/P2-2' } });
  });

  test('of a lower epoch, or of another input, is not reported', async () => {
    await writeAttempt(sector, '1/P2-1', { error: {} });
    await writeAttempt(sector, '2/P2-1', { job: { inputHash: OTHER_HASH }, error: {} });
    expect(await see()).toMatchObject({ is: 'free', number: 2, earlier: [{ at: '1/P2-1' }] });
  });
});

describe('an invalidated attempt', () => {
  const invalidated = async (at: string, options = {}): Promise<void> => {
    await writeAttempt(sector, at, { result: {}, ...options });
    await invalidateAttempt(sector, at);
  };

  test('has its files reused, after those of valid attempts', async () => {
    await writeAttempt(sector, '1/P2-1', { progress: await deadProcess() });
    await invalidated('1/P2-2');
    await invalidated('2/P2-1', { job: { inputHash: OTHER_HASH } });
    const situation = await see();
    expect(situation.is === 'free' && situation.earlier.map(({ directory }) => directory)).toEqual([
      join(sector, '1/P2-1'),
      join(sector, '1/invalidated-P2-2'),
    ]);
  });

  test('has nothing reused when it is not the first', async () => {
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

  test('never reuses a number', async () => {
    for (const name of ['2/invalidated-P2-4', '2/gone-P2-6', '3/P2-9'])
      await mkdir(join(sector, name), { recursive: true });
    expect(await see()).toMatchObject({ is: 'free', number: 7 });
  });

  // For the lease: making the next number supersedes the one before, also one that was never inspected.
  test('does not skip an attempt made during the inspection', async () => {
    let made = false;
    const racing: Inspection = {
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
    expect(await inspectPhase(racing)).not.toMatchObject({ is: 'free', number: 2 });
  });

  test('lists the attempts made for the same input, newest first', async () => {
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
