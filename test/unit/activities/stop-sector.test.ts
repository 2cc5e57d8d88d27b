import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancelledFailure } from '@temporalio/common';
import { claimEpoch, listEpochs } from '../../../src/attempts/epochs.js';
import { readProgress } from '../../../src/attempts/progress.js';
import { EngineStarter } from '../../../src/attempts/start.js';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { scaledTimes } from '../../../src/phases.js';
import { writeAttempt, writeProgress } from '../../helpers/attempts.js';
import { cancel, shutDown } from '../../helpers/cancellation.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/gate.js';
import {
  createSite,
  failureFrom,
  HOST,
  OTHER_RUN_ID,
  RUN_ID,
  type Offer,
  type Site,
} from '../../helpers/site.js';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});

const stop = (offer?: Offer, deps: Parameters<Site['offer']>[3] = { enterSlot: () => undefined }) =>
  site.offer(
    'stopSector',
    { v: CONTRACT_VERSION, seal: site.seal, claim: 1, run: RUN_ID, why: 'cancelled' },
    offer,
    deps,
  );
const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: site.environment }) });

async function atWork(offer?: Offer, at = '1/P1-1') {
  await hold(site, 'P1');
  const task = site.begin('P1', {}, offer, another());
  await eventually(async () => (await readProgress(site.path(at)))?.step === 'done');
  return { ...task, pid: (await readProgress(site.path(at)))?.pid ?? NaN };
}

/** An engine of P2 on another host, of the run that is to be stopped. */
async function foreignEngine(): Promise<string> {
  await mkdir(site.directory);
  await claimEpoch(site.directory, `${RUN_ID}#1`, HOST);
  return (await writeAttempt(site.directory, '1/P2-1', { progress: foreign })).directory;
}
const foreign = { host: '10.0.0.2', bootId: 'another' };

describe('a stop', () => {
  test('of a sector that is not there makes nothing', async () => {
    expect(await stop().done).toEqual({ v: 1, stopped: [] });
    expect(existsSync(site.directory)).toBe(false);
  });

  test('needs no slot, and raises the epoch', async () => {
    await site.seals('P1');
    expect(await stop().done).toEqual({ v: 1, stopped: [] });
    expect(await listEpochs(site.directory)).toMatchObject([
      { number: 1, why: 'claimed' },
      { number: 2, why: 'cancelled' },
    ]);
    expect(await failureFrom(site.run('P2'))).toMatchObject({ type: 'ClaimedByOther' });
  });

  test('waits until the engine has ended, and keeps its files', async () => {
    const { done, pid } = await atWork();
    const { stopped } = await stop().done;
    expect(await isAlive(pid)).toBe(false);
    // One that is so fast that nobody sees it end is not told.
    expect([[], ['1/P1-1']]).toContainEqual(stopped);
    expect(await failureFrom(done)).toMatchObject({ type: 'ClaimedByOther' });
    expect(existsSync(site.path('1/P1-1', 'sc-02-data-layer-2.dat'))).toBe(true);
  });

  test('kills an engine that does not end by itself', async () => {
    const { pid } = await atWork();
    process.kill(pid, 'SIGSTOP');
    expect((await stop().done).stopped).toEqual(['1/P1-1']);
    await eventually(async () => !(await isAlive(pid)));
  });

  test('done again finds nothing to do', async () => {
    await atWork();
    await stop().done;
    expect((await stop({ attempt: 2 }).done).stopped).toEqual([]);
    expect(await listEpochs(site.directory)).toHaveLength(2);
  });

  test('tells Temporal that it is waiting', async () => {
    const { pid } = await atWork();
    // It cannot end by itself before anybody has looked.
    process.kill(pid, 'SIGSTOP');
    const { done, heartbeats } = stop();
    await done;
    expect(heartbeats).toContainEqual(expect.objectContaining({ at: '1/P1-1' }));
  });

  test('is followed by a new run that goes on', async () => {
    await atWork();
    await stop().done;
    await release(site, 'P1');
    expect((await site.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('3/P1-1');
  });
});

describe('an engine on another host', () => {
  test('that is silent for the observation time counts as ended', async () => {
    site.hurry();
    await foreignEngine();
    expect((await stop().done).stopped).toEqual(['1/P2-1']);
  });

  test('is waited for while its counter moves', async () => {
    // Time is moved by hand.
    let clock = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => clock);
    onTestFinished(() => void vi.restoreAllMocks());
    const { observation } = scaledTimes(site.seal.timeScale ?? 1);
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
  await site.run('P1');
  site.seal = { ...site.seal, ticket: 'cc'.repeat(32) };
  const { done, pid } = await atWork({ runId: OTHER_RUN_ID }, '2/P1-1');
  expect(await failureFrom(stop().done)).toMatchObject({ type: 'ClaimedByOther' });
  expect(await isAlive(pid)).toBe(true);
  await release(site, 'P1');
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

  // The SDK gives the task to another worker when it ends with the cancellation itself; any other failure is final.
  test.each([
    ['by its worker', shutDown],
    ['by the workflow', cancel],
  ])('%s says so in the words of the SDK', async (_, end) => {
    const { env, done } = await waiting();
    end(env);
    const error: unknown = await failureFrom(done);
    const isCancellation = error instanceof CancelledFailure || (error as Error).name === 'AbortError';
    expect(isCancellation || (error as { nonRetryable?: boolean }).nonRetryable === false).toBe(true);
  });
});
