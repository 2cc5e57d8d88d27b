/** Engines that are adopted, fail, hang, are superseded, or work on another host. */
import { FAILURES } from '../../../src/failures.js';
import { mkdirSync, renameSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { inputHash } from '../../../src/activities/phase-job.js';
import { claimEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import { readProgress } from '../../../src/engines/progress.js';
import { EngineStarter } from '../../../src/engines/start.js';
import type { Attempt } from '../../../src/paths.js';
import { scaledTimes } from '../../../src/phases.js';
import { writeAttempt, writeProgress } from '../../helpers/attempts.js';
import { flip } from '../../helpers/damage.js';
import { ENGINE, startEngine, untilShown } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release, tell } from '../../helpers/checkpoints.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  OTHER_RUN_ID,
  RUN_ID,
  type TestHost,
} from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });

/** An attempt of P1 as an earlier worker has made it. */
async function attemptBefore(at = '1/P1-1', written: Parameters<typeof writeAttempt>[2] = {}) {
  await mkdir(host.directory, { recursive: true });
  await claimEpoch(host.directory, `${RUN_ID}#1`, HOST);
  return await writeAttempt(host.directory, at, {
    ...written,
    job: { inputHash: inputHash(host.input('P1')) },
  });
}

/** Waits until an attempt's engine runs. @returns its process ID */
async function untilRuns(at: string): Promise<number> {
  await eventually(async () => (await readProgress(host.path(at))) !== undefined);
  return (await readProgress(host.path(at)))?.pid ?? NaN;
}

/** Shortens the hang limit, and the time to start: only for engines that have written progress. */
const fast = (): void => {
  host.hurry();
};

describe('an engine that another worker has started', () => {
  test('is waited for', async () => {
    await hold(host, 'P1');
    const attempt = await attemptBefore();
    const engine = await startEngine(attempt.directory, host.environment);
    await untilShown(attempt.directory);
    const { done, heartbeats } = host.begin('P1');
    await eventually(() => heartbeats.some(({ at }) => at === '1/P1-1'));
    await release(host, 'P1');
    expect(await done).toMatchObject({ at: '1/P1-1' });
    expect(await engine.ended).toBe(0);
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test('and that dies is reported, and then replaced', async () => {
    await hold(host, 'P1');
    const attempt = await attemptBefore();
    const engine = await startEngine(attempt.directory, host.environment);
    await untilShown(attempt.directory);
    const { done, heartbeats } = host.begin('P1');
    // After its last step, with all layers recorded.
    await eventually(() => heartbeats.some(({ at, step }) => at === '1/P1-1' && step === 'done'));
    expect(heartbeats.at(-1)?.works).toBe(true);
    process.kill(engine.pid, 'SIGKILL');
    const details = [{ at: '1/P1-1', host: HOST, recorded: 3 }];
    expect(await failureFrom(done)).toMatchObject({ type: 'EngineDied', nonRetryable: false, details });
    // The next attempt of the task has these details until it sends its own.
    expect(heartbeats.at(-1)?.works).toBeUndefined();
    await release(host, 'P1');
    expect((await host.run('P1')).at).toBe('1/P1-2');
  });

  test('and that is already dead is replaced at once', async () => {
    const attempt = await attemptBefore();
    await tell(host, 'P1', 'crash', '1:SIGKILL');
    expect(await (await startEngine(attempt.directory, host.environment)).ended).toBe('SIGKILL');
    expect((await host.run('P1')).at).toBe('1/P1-2');
  });
});

describe('an engine whose task fails before it watches (B12)', () => {
  test('does not count as awaited, so that the worker looks after it', async () => {
    await hold(host, 'P1');
    const attempt = await attemptBefore();
    await startEngine(attempt.directory, host.environment);
    await untilShown(attempt.directory);
    const { engines } = host.deps;
    const job = join(attempt.directory, 'job.json');
    const waitFor = (waited: Attempt): (() => void) => {
      renameSync(job, `${job}.aside`);
      // Reading it is EISDIR, as a mount's EIO or a hang would be in this place.
      mkdirSync(job);
      const stopWaiting = engines.waitFor(waited);
      expect(engines.isAwaited(attempt.directory)).toBe(true);
      return stopWaiting;
    };
    await expect(host.begin('P1', {}, {}, { engines: { waitFor } }).done).rejects.toThrow('job.json');
    expect(engines.isAwaited(attempt.directory)).toBe(false);
    await rmdir(job);
    await rename(`${job}.aside`, job);
    await release(host, 'P1');
    expect((await host.run('P1')).at).toBe('1/P1-1');
  });
});

describe('an engine that has ended', () => {
  test('does not keep its slot, although Node has not told of its end yet', async () => {
    const { engines } = host.deps;
    let before: ReturnType<typeof engines.processOf>;
    const processOf = (attempt: Attempt): typeof before => (before = engines.processOf(attempt) ?? before);
    const left: string[] = [];
    const enter = () => ({
      leave: () => void left.push('free'),
      leaveToEngine: () => void left.push('to its engine'),
    });
    await host.begin('P1', {}, {}, { engines: { processOf }, slots: { enter } }).done;
    expect(before).toMatchObject({ pid: expect.any(Number) as number });
    expect(left).toEqual(['free']);
  });
});

describe('an engine that crashes', () => {
  test.each(['SIGKILL', 'SIGSEGV', 'SIGTERM'])(
    'by %s is reported with what it has recorded',
    async (signal) => {
      await tell(host, 'P1', 'crash', `1:${signal}`);
      const thrown = await failureFrom(host.run('P1'));
      expect(thrown).toMatchObject({
        type: 'EngineDied',
        details: [{ at: '1/P1-1', host: HOST, recorded: 2 }],
      });
      expect(thrown.message).toContain('1/P1-1');
    },
  );

  test('is replaced by one that takes over its recorded layers', async () => {
    await tell(host, 'P1', 'crash', '1:SIGKILL');
    await failureFrom(host.run('P1'));
    const recorded = ['sc-02-data-tree-d.dat', 'sc-02-data-layer-1.dat'];
    const inodes = (at: string): Promise<number[]> =>
      Promise.all(recorded.map(async (name) => (await stat(host.path(at, name))).ino));
    const before = await inodes('1/P1-1');
    expect((await host.run('P1')).at).toBe('1/P1-2');
    expect(await inodes('1/P1-2')).toEqual(before);
    // The space of what was taken over is freed.
    expect(await readdir(join(host.directory, '1'))).toEqual(expect.arrayContaining(['P1-2', 'gone-P1-1']));
  });

  test('is replaced by one that drops a damaged layer and all after it', async () => {
    await tell(host, 'P1', 'crash', '1:SIGKILL');
    await failureFrom(host.run('P1'));
    await flip(host.path('1/P1-1', 'sc-02-data-layer-1.dat'));
    const repaired = await host.run('P1');
    const whole = await host.run('P1', { invalidated: ['1/P1-1', '1/P1-2'] });
    expect(repaired).toMatchObject({ at: '1/P1-2', digest: whole.digest });
  });

  test('before it has written progress is reported', async () => {
    const engines = new EngineStarter({ command: ['false'], environment: {} });
    const thrown = await failureFrom(host.run('P1', {}, {}, { engines }));
    expect(thrown).toMatchObject({ type: 'EngineDied', details: [{ at: '1/P1-1', recorded: 0 }] });
    expect(thrown.message).toContain('never appeared');
  });
});

describe('an engine that ends with an error', () => {
  test.each([
    ['3:PassingFault', 'PassingFault', undefined],
    ['3:NoSpace', 'NoSpace', undefined],
    ['5:MissingParameters', 'MissingParameters', undefined],
    ['2:BadInput', 'BadInput', undefined],
    ['101:Panic', 'Panic', undefined],
    ['4:StepBack:P1', 'StepBack', 'P1'],
    ['9:Frobnicated', 'Unknown', undefined],
  ] as const)('%s is reported as %s', async (words, type, from) => {
    await tell(host, 'P1', 'fail', `1:${words}`);
    const details = [{ at: '1/P1-1', host: HOST, recorded: 2, from }];
    expect(await failureFrom(host.run('P1'))).toMatchObject({
      type,
      message: 'told to fail',
      // A failure that only needs time is retried by Temporal, without an event in the history.
      nonRetryable: !['retry', 'retry counted'].includes(FAILURES[type].recovery),
      details,
    });
  });

  test('makes the host look at its parameters when it failed for them, and only then', async () => {
    const parametersFailed = vi.fn();
    const run = (lastReported?: string) =>
      host.run('P1', { lastReported }, {}, { resources: { parametersFailed } });
    await tell(host, 'P1', 'fail', '1:3:PassingFault');
    expect(await failureFrom(run())).toMatchObject({ type: 'PassingFault' });
    expect(parametersFailed).not.toHaveBeenCalled();
    await tell(host, 'P1', 'fail', '2:5:MissingParameters');
    expect(await failureFrom(run('1/P1-1'))).toMatchObject({ type: 'MissingParameters' });
    expect(parametersFailed).toHaveBeenCalledOnce();
  });

  test('is reported again to a workflow that does not know it, and nothing is started', async () => {
    await tell(host, 'P1', 'fail', '1:3:PassingFault');
    for (let i = 0; i < 2; i++)
      expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'PassingFault' });
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test('is followed by the next attempt when the workflow knows it', async () => {
    await tell(host, 'P1', 'fail', '2:3:PassingFault');
    await failureFrom(host.run('P1'));
    expect(await failureFrom(host.run('P1', { lastReported: '1/P1-1' }))).toMatchObject({
      details: [{ at: '1/P1-2' }],
    });
    expect((await host.run('P1', { lastReported: '1/P1-2' })).at).toBe('1/P1-3');
  });
});

/**
 * By TERM, and on a busy machine by the KILL that follows these hurried times' 10 ms: processes.test.ts has which
 * one.
 */
const ENDED = /^SIG(TERM|KILL)$/;

describe('an engine that hangs', () => {
  test('is stopped and reported', async () => {
    fast();
    await tell(host, 'P1', 'hang', '1');
    const attempt = await attemptBefore();
    const engine = await startEngine(attempt.directory, host.environment);
    await eventually(async () => (await readProgress(attempt.directory))?.step === 'layer 2 of 2');
    const details = [{ at: '1/P1-1', host: HOST, recorded: 2 }];
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'Hung', nonRetryable: false, details });
    expect(await engine.ended).toMatch(ENDED);
  });

  test('is killed when it ignores TERM', async () => {
    fast();
    await tell(host, 'P1', 'hang', '1:deaf');
    const attempt = await attemptBefore();
    const engine = await startEngine(attempt.directory, host.environment);
    await eventually(async () => (await readProgress(attempt.directory))?.step === 'layer 2 of 2');
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'Hung' });
    expect(await engine.ended).toBe('SIGKILL');
  });
});

describe('an engine that was superseded', () => {
  test('by a higher attempt ends, and that attempt is inspected', async () => {
    await hold(host, 'P1');
    const { done } = host.begin('P1');
    const pid = await untilRuns('1/P1-1');
    const attempt = await attemptBefore('1/P1-2', { error: { exit: 3, message: 'of the second' } });
    expect(await failureFrom(done)).toMatchObject({ type: 'PassingFault', message: 'of the second' });
    expect(await isAlive(pid)).toBe(false);
    expect(attempt.at).toBe('1/P1-2');
  });

  test('by another run ends, and its task reports who has the sector', async () => {
    await hold(host, 'P1');
    const { done } = host.begin('P1');
    const pid = await untilRuns('1/P1-1');
    const other = host.begin('P1', {}, { runId: OTHER_RUN_ID }, another());
    const thrown = await failureFrom(done);
    expect(thrown).toMatchObject({ type: 'ClaimedByOther', nonRetryable: true });
    expect(thrown.message).toContain(OTHER_RUN_ID);
    expect(await isAlive(pid)).toBe(false);
    await release(host, 'P1');
    expect((await other.done).at).toBe('2/P1-1');
  });

  test('by its own run after a retry ends, and the retry resumes from its layers', async () => {
    await tell(host, 'P1', 'hang', '1');
    const { done } = host.begin('P1');
    await eventually(async () => (await readProgress(host.path('1/P1-1')))?.step === 'layer 2 of 2');
    const again = host.begin('P1', { claim: 2 }, {}, another());
    expect(await failureFrom(done)).toMatchObject({ type: 'Overtaken' });
    expect((await again.done).at).toBe('2/P1-1');
    const job = JSON.parse(await readFile(host.path('2/P1-1', 'job.json'), 'utf8')) as { earlier: string[] };
    expect(job.earlier).toEqual(['../../1/P1-1']);
  });

  test('and whose directory was renamed away writes nothing that counts', async () => {
    await hold(host, 'P1');
    const { done } = host.begin('P1');
    const pid = await untilRuns('1/P1-1');
    await rename(host.path('1/P1-1'), host.path('1/gone-P1-1'));
    await eventually(async () => !(await isAlive(pid)));
    await release(host, 'P1');
    const end = await done.catch((error: unknown) => error);
    // Either way nothing of the first attempt counts.
    if (end instanceof Error) expect(end).toMatchObject({ type: 'EngineDied' });
    expect((await host.run('P1')).at).not.toBe('1/P1-1');
  });
});

describe('an engine on another host', () => {
  const times = scaledTimes(0.05);
  const NOW = 1_000_000_000;

  async function foreignEngine(counter: number) {
    const attempt = await attemptBefore('1/P1-1', {
      progress: { host: '10.0.0.2', bootId: 'another', counter },
    });
    return async (next: number): Promise<void> => {
      await writeProgress(attempt.directory, { host: '10.0.0.2', bootId: 'another', counter: next });
    };
  }

  test('hands the task back, with growing delays', async () => {
    await foreignEngine(17);
    const delays = [];
    for (const attempt of [1, 2, 3, 20]) {
      const thrown = await failureFrom(host.run('P1', {}, { attempt }));
      expect(thrown).toMatchObject({ type: 'BusyElsewhere', nonRetryable: false });
      expect(thrown.message).toContain('10.0.0.2');
      delays.push(thrown.nextRetryDelay);
    }
    const { busyElsewhereFirst: first, busyElsewhereMax: most } = times;
    expect(delays).toEqual([first, 2 * first, 4 * first, most]);
    expect(await host.started()).toEqual([]);
  });

  test('is observed from offer to offer, and replaced when its counter has not moved for too long', async () => {
    const move = await foreignEngine(17);
    const offer = async (now: number, before?: (typeof first)['heartbeats']) => {
      const { done, heartbeats } = host.begin('P1', {}, { now, heartbeatDetails: before?.at(-1) });
      return { heartbeats, thrown: await failureFrom(done) };
    };
    const first: { heartbeats: ReturnType<TestHost['begin']>['heartbeats']; thrown: Error } =
      await offer(NOW);
    expect(first.heartbeats.at(-1)?.observed).toMatchObject({ at: '1/P1-1', counter: 17 });

    await move(18);
    const second = await offer(NOW + 2 * times.observation, first.heartbeats);
    expect(second.heartbeats.at(-1)?.observed).toMatchObject({ counter: 18 });
    expect(second.heartbeats.at(-1)?.observed?.since).toBeUndefined();

    const since = NOW + 2 * times.observation + 1;
    const third = await offer(since, second.heartbeats);
    expect(third.thrown).toMatchObject({ type: 'BusyElsewhere' });
    expect(third.heartbeats.at(-1)?.observed).toEqual({ at: '1/P1-1', counter: 18, since });

    const last = { now: since + times.observation, heartbeatDetails: third.heartbeats.at(-1) };
    expect((await host.run('P1', {}, last)).at).toBe('1/P1-2');
  });

  test('is not taken for dead because the first task waited in the queue', async () => {
    await foreignEngine(17);
    const real = Date.now();
    const queued = host.begin('P1', {}, { now: real - 2 * 60_000 });
    expect(await failureFrom(queued.done)).toMatchObject({ type: 'BusyElsewhere' });
    const next = { now: real + 1000, heartbeatDetails: queued.heartbeats.at(-1) };
    expect(await failureFrom(host.run('P1', {}, next))).toMatchObject({ type: 'BusyElsewhere' });
    expect(await host.started()).toEqual([]);
  });

  test('is not forgotten by an offer that finds no slot', async () => {
    await foreignEngine(17);
    const { done, heartbeats } = host.begin('P1', {}, { now: NOW });
    await failureFrom(done);
    // The server retains the details of the last offer that sent a heartbeat.
    const full = host.begin(
      'P1',
      {},
      { now: NOW + 1, heartbeatDetails: heartbeats.at(-1) },
      { slots: { enter: () => undefined } },
    );
    await failureFrom(full.done);
    expect(full.heartbeats).toEqual([]);
  });

  test('whose result exists is not waited for', async () => {
    await foreignEngine(17);
    const hash = inputHash(host.input('P1'));
    await writeAttempt(host.directory, '1/P1-1', { job: { inputHash: hash }, result: { inputHash: hash } });
    expect((await host.run('P1')).at).toBe('1/P1-1');
  });
});
