/** Tasks that end before their engine. */
import { existsSync } from 'node:fs';
import { CancelledFailure } from '@temporalio/common';
import { beforeEach, describe, expect, test } from 'vitest';
import { readProgress } from '../../../src/engines/progress.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { cancel, forget, shutDown, timeOut } from '../../helpers/cancellation.js';
import { ENGINE, processesOf } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release, tell } from '../../helpers/checkpoints.js';
import { createTestHost, failureFrom, HOST, type TestHost } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

/** P1 with its engine running. */
async function atWork() {
  await hold(host, 'P1');
  const task = host.begin('P1');
  await eventually(async () => (await readProgress(host.path('1/P1-1')))?.step === 'done');
  const { pid = NaN } = (await readProgress(host.path('1/P1-1'))) ?? {};
  return { ...task, pid };
}

const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });

describe('a worker that shuts down', () => {
  test('leaves its engine running, and the next worker adopts it', async () => {
    const { env, done, pid } = await atWork();
    shutDown(env);
    expect(await failureFrom(done)).toMatchObject({
      type: 'Draining',
      nonRetryable: true,
      details: [{ host: HOST }],
    });
    expect(await isAlive(pid)).toBe(true);
    const next = host.begin('P1', {}, {}, another());
    await eventually(() => next.heartbeats.some(({ at }) => at === '1/P1-1'));
    await release(host, 'P1');
    expect((await next.done).at).toBe('1/P1-1');
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test('leaves an engine that ends meanwhile, and the next worker finds its result', async () => {
    const { env, done, pid } = await atWork();
    shutDown(env);
    await failureFrom(done);
    await release(host, 'P1');
    await eventually(async () => !(await isAlive(pid)));
    expect((await host.run('P1', {}, {}, another())).at).toBe('1/P1-1');
    expect(await host.started()).toEqual(['1/P1-1']);
  });
});

describe('a task that Temporal has given to another', () => {
  test.each([
    ['does not know any more', forget],
    ['has timed out', timeOut],
  ])('and %s lets its engine go on', async (_, end) => {
    const { env, done, pid } = await atWork();
    end(env);
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
    expect(await isAlive(pid)).toBe(true);
  });
});

describe('a cancelled task', () => {
  test('stops its engine and retains its files', async () => {
    const { env, done, pid } = await atWork();
    cancel(env);
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
    expect(await isAlive(pid)).toBe(false);
    for (const name of ['job.json', 'layers.json', 'sc-02-data-layer-2.dat']) {
      expect(existsSync(host.path('1/P1-1', name))).toBe(true);
    }
  });

  test('kills an engine that ignores TERM', async () => {
    await tell(host, 'P1', 'hang', '1:deaf');
    const { env, done } = host.begin('P1');
    await eventually(async () => (await readProgress(host.path('1/P1-1')))?.step === 'layer 2 of 2');
    const { pid = NaN } = (await readProgress(host.path('1/P1-1'))) ?? {};
    cancel(env);
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
    await eventually(async () => !(await isAlive(pid)));
  });

  test('stops an engine that another worker has started', async () => {
    const first = await atWork();
    shutDown(first.env);
    await failureFrom(first.done);
    const { env, done, heartbeats } = host.begin('P1', {}, {}, another());
    await eventually(() => heartbeats.some(({ at }) => at === '1/P1-1'));
    cancel(env);
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
    expect(await isAlive(first.pid)).toBe(false);
  });

  test('resumes from its layers when it is restarted', async () => {
    const { env, done } = await atWork();
    cancel(env);
    await done.catch(() => undefined);
    await release(host, 'P1');
    const again = await host.run('P1');
    expect(again.at).toBe('1/P1-2');
  });

  test('stops an engine that it has only just started', async () => {
    await hold(host, 'P1');
    const { env, done } = host.begin('P1');
    await eventually(() => existsSync(host.path('1/P1-1', 'log')));
    cancel(env);
    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
    // However far its engine got: none of its processes may be left running.
    await eventually(async () => (await processesOf(host.path('1/P1-1'))).length === 0);
  });
});
