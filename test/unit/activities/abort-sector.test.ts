import { existsSync } from 'node:fs';
import { link, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { claimEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import { readProgress } from '../../../src/engines/progress.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { readJson } from '../../../src/files.js';
import { abortedFile, cacheDir, goneName, sealedLink } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { writeAttempt, writeProgress } from '../../helpers/attempts.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold } from '../../helpers/checkpoints.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  NODE,
  OTHER_RUN_ID,
  RUN_ID,
  type Offer,
  type TestHost,
} from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const abort = (
  offer?: Offer,
  deps: Parameters<TestHost['offer']>[3] = { slots: { enter: () => undefined } },
) =>
  host.offer(
    'abortSector',
    { v: CONTRACT_VERSION, seal: host.seal, claim: 1, run: RUN_ID, why: 'aborted: wrong miner' },
    offer,
    deps,
  );
const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });
const note = () => abortedFile(host.group, sectorOf(host.seal.sector));
const nothingLeft = async (): Promise<void> => {
  expect(await readdir(cacheDir(host.group))).toEqual([]);
  expect(existsSync(sealedLink(host.group, sectorOf(host.seal.sector)))).toBe(false);
};

describe('an abort', () => {
  test('removes the final names that a killed P6 has linked, and no others', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const [part = ''] = await readdir(join(host.node, '.sealflow'));
    for (const name of ['sealed', 'cache', 'cache/s-t01000-7']) await mkdir(join(host.node, name));
    await link(join(host.node, '.sealflow', part, 'sealed'), join(host.node, 'sealed/s-t01000-7'));
    await writeFile(join(host.node, 'cache/s-t01000-7/p_aux'), 'of somebody else');
    await abort().done;
    await nothingLeft();
    expect(await readdir(join(host.node, 'sealed'))).toEqual([]);
    expect(await readdir(join(host.node, 'cache/s-t01000-7'))).toEqual(['p_aux']);
  });

  test('deletes everything, needs no slot, and records who did it', async () => {
    await host.seals('P1', 'P2');
    const { bytesFreed } = await abort().done;
    expect(bytesFreed).toBeGreaterThan(0);
    await nothingLeft();
    expect(await readJson(note())).toMatchObject({
      sector: host.seal.sector,
      why: 'aborted: wrong miner',
      owner: `${RUN_ID}#1`,
      host: HOST,
      bytes: bytesFreed,
    });
  });

  test('of a sector that does not exist succeeds', async () => {
    expect(await abort().done).toEqual({ v: 1, stopped: [], bytesFreed: 0 });
  });

  test('waits until the engine has ended', async () => {
    await hold(host, 'P1');
    const { done } = host.begin('P1', {}, {}, another());
    await eventually(async () => (await readProgress(host.path('1/P1-1')))?.step === 'done');
    const pid = (await readProgress(host.path('1/P1-1')))?.pid ?? NaN;
    await abort().done;
    expect(await isAlive(pid)).toBe(false);
    await failureFrom(done);
    await nothingLeft();
  });

  test('does not delete what an engine elsewhere still writes', async () => {
    await mkdir(host.directory);
    await claimEpoch(host.directory, `${RUN_ID}#1`, HOST);
    const foreign = { host: '10.0.0.2', bootId: 'another' };
    const { directory } = await writeAttempt(host.directory, '1/P2-1', { progress: foreign });
    const work = { goesOn: true, counter: 1 };
    const works = (async () => {
      while (work.goesOn) {
        await writeProgress(directory, { ...foreign, counter: ++work.counter });
        await sleep(20);
      }
    })();
    const { done, heartbeats } = abort();
    await eventually(() => heartbeats.some(({ at }) => at === '1/P2-1'));
    const sent = heartbeats.length;
    await eventually(() => heartbeats.length > sent + 5);
    expect(existsSync(directory)).toBe(true);
    work.goesOn = false;
    await works;
    await done;
    await nothingLeft();
  });

  test('removes unfinished copies, on a host that has the storage nodes', async () => {
    await host.seals('P1', 'P2', 'P5');
    expect(await readdir(join(host.node, '.sealflow'))).toHaveLength(1);
    expect(await failureFrom(abort({}, { nodes: { directories: [] } }).done)).toMatchObject({
      type: 'NoStorage',
    });
    expect(existsSync(host.path('1/P5-1'))).toBe(true);
    const wrong = { nodes: { check: () => Promise.reject(new Error('read-only')) } };
    expect(await failureFrom(abort({}, wrong).done)).toMatchObject({
      type: 'NoStorage',
      nonRetryable: false,
      message: `${HOST}: a copy was started on ${NODE}, which cannot be used: read-only`,
    });
    // A node that never had a copy is not checked.
    const checkNode = (node: string): Promise<void> =>
      node === host.node ? Promise.resolve() : Promise.reject(new Error('gone'));
    await abort({}, { nodes: { directories: [host.node, '/nowhere/10.10.4.24'], check: checkNode } }).done;
    expect(await readdir(join(host.node, '.sealflow'))).toEqual([]);
    await nothingLeft();
  });

  test('that was killed during the deletion is finished by a retry', async () => {
    await host.seals('P1');
    await abort().done;
    const before = await readJson(note());
    const left = join(cacheDir(host.group), goneName(sectorOf(host.seal.sector), 'left'));
    await mkdir(join(left, '1'), { recursive: true });
    await writeFile(join(left, '1', 'layer'), 'x');
    expect(await abort().done).toMatchObject({ bytesFreed: (before as { bytes: number }).bytes });
    await nothingLeft();
  });

  test('is not undone by a late P1 of its run, and does not bind another one', async () => {
    await host.seals('P1');
    await abort().done;
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'Aborted' });
    await nothingLeft();
    expect((await host.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('1/P1-1');
  });

  test('deletes nothing if there are files that are not sealflow’s', async () => {
    await host.seals('P1');
    const elsewhere = join(host.root, 'elsewhere');
    await rename(host.directory, elsewhere);
    await writeFile(host.directory, 'a file');
    await failureFrom(abort().done);
    expect(existsSync(join(elsewhere, '1', 'P1-1'))).toBe(true);
  });
});
