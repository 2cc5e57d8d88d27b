import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancelledFailure } from '@temporalio/common';
import { claimEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import { listEpochs } from '../../../src/sector-directory/epochs.js';
import { readProgress } from '../../../src/engines/progress.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { scaledTimes } from '../../../src/phases.js';
import { writeAttempt, writeProgress } from '../../helpers/attempts.js';
import { cancel, shutDown } from '../../helpers/cancellation.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/checkpoints.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  OTHER_RUN_ID,
  RUN_ID,
  type Offer,
  type TestHost,
} from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const stop = (
  offer?: Offer,
  deps: Parameters<TestHost['offer']>[3] = { slots: { enter: () => undefined } },
) =>
  host.offer(
    'stopSector',
    { v: CONTRACT_VERSION, seal: host.seal, claim: 1, run: RUN_ID, why: 'cancelled' },
    offer,
    deps,
  );
const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });

async function atWork(offer?: Offer, at = '1/P1-1') {
  await hold(host, 'P1');
  const task = host.begin('P1', {}, offer, another());
  await eventually(async () => (await readProgress(host.path(at)))?.step === 'done');
  return { ...task, pid: (await readProgress(host.path(at)))?.pid ?? NaN };
}

/** An engine of P2 on another host, of the run that is to be stopped. */
async function foreignEngine(): Promise<string> {
  await mkdir(host.directory);
  await claimEpoch(host.directory, `${RUN_ID}#1`, HOST);
  return (await writeAttempt(host.directory, '1/P2-1', { progress: foreign })).directory;
}
const foreign = { host: '10.0.0.2', bootId: 'another' };

describe('a stop', () => {
  test('of a sector that does not exist makes nothing', async () => {
    expect(await stop().done).toEqual({ v: 1, stopped: [] });
    expect(existsSync(host.directory)).toBe(false);
  });

  test('needs no slot, and raises the epoch', async () => {
    await host.seals('P1');
    expect(await stop().done).toEqual({ v: 1, stopped: [] });
    expect(await listEpochs(host.directory)).toMatchObject([
      { number: 1, why: 'claimed' },
      { number: 2, why: 'cancelled' },
    ]);
    expect(await failureFrom(host.run('P2'))).toMatchObject({ type: 'ClaimedByOther' });
  });

  test('waits until the engine has ended, and retains its files', async () => {
    const { done, pid } = await atWork();
    const { stopped } = await stop().done;
    expect(await isAlive(pid)).toBe(false);
    // One that ends before the first poll is not reported.
    expect([[], ['1/P1-1']]).toContainEqual(stopped);
    expect(await failureFrom(done)).toMatchObject({ type: 'ClaimedByOther' });
    expect(existsSync(host.path('1/P1-1', 'sc-02-data-layer-2.dat'))).toBe(true);
  });

  test('kills an engine that does not end by itself', async () => {
    const { pid } = await atWork();
    process.kill(pid, 'SIGSTOP');
    expect((await stop().done).stopped).toEqual(['1/P1-1']);
    await eventually(async () => !(await isAlive(pid)));
  });

  test('when repeated finds nothing to do', async () => {
    await atWork();
    await stop().done;
    expect((await stop({ attempt: 2 }).done).stopped).toEqual([]);
    expect(await listEpochs(host.directory)).toHaveLength(2);
  });

  test('sends heartbeats while it waits', async () => {
    const { pid } = await atWork();
    // It cannot end by itself before the first poll.
    process.kill(pid, 'SIGSTOP');
    const { done, heartbeats } = stop();
    await done;
    expect(heartbeats).toContainEqual(expect.objectContaining({ at: '1/P1-1' }));
  });

  test('is followed by a new run that goes on', async () => {
    await atWork();
    await stop().done;
    await release(host, 'P1');
    expect((await host.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('3/P1-1');
  });
});

describe('an engine on another host', () => {
  test('that is silent for the observation time counts as ended', async () => {
    host.hurry();
    await foreignEngine();
    expect((await stop().done).stopped).toEqual(['1/P2-1']);
  });

  test('is waited for while its counter moves', async () => {
    // The clock is mocked.
    let clock = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => clock);
    onTestFinished(() => void vi.restoreAllMocks());
    const { observation } = scaledTimes(host.seal.timeScale ?? 1);
    const directory = await foreignEngine();
    const { done, heartbeats } = stop();
    for (let counter = 2; counter < 10; counter++) {
      await writeProgress(directory, { ...foreign, counter });
      const before = heartbeats.length;
      await eventually(() => heartbeats.length > before + 2);
      clock += observation - 1;
    }
    await writeFile(
      join(directory, 'error.json'),
      JSON.stringify({ v: 1, exit: 7, type: 'Superseded', message: '' }),
    );
    expect((await done).stopped).toEqual(['1/P2-1']);
  });
});

// Cancelling the run that has lost the sector must not cost the run that has it.
test('a stop of a run that was overtaken leaves the engine of the other run alone', async () => {
  await host.run('P1');
  host.seal = { ...host.seal, ticket: 'cc'.repeat(32) };
  const { done, pid } = await atWork({ runId: OTHER_RUN_ID }, '2/P1-1');
  expect(await failureFrom(stop().done)).toMatchObject({ type: 'ClaimedByOther' });
  expect(await isAlive(pid)).toBe(true);
  await release(host, 'P1');
  expect(await done).toMatchObject({ at: '2/P1-1', host: HOST });
});

describe('a stop that is ended itself', () => {
  /** A foreign engine that is waited for long enough. */
  async function waiting() {
    await foreignEngine();
    const task = stop();
    await eventually(() => task.heartbeats.length > 0);
    return task;
  }

  // The SDK gives the task to another worker when it ends with the cancellation itself; any other failure is
  // final.
  test.each([
    ['by its worker', shutDown],
    ['by the workflow', cancel],
  ])('%s ends with the SDK’s own error', async (_, end) => {
    const { env, done } = await waiting();
    end(env);
    const error: unknown = await failureFrom(done);
    const isCancellation = error instanceof CancelledFailure || (error as Error).name === 'AbortError';
    expect(isCancellation || (error as { nonRetryable?: boolean }).nonRetryable === false).toBe(true);
  });
});
