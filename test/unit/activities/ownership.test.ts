/** What a run that has lost or aborted a sector may do to it. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readProgress } from '../../../src/engines/progress.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { abortedFile, cacheDir, goneName } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/checkpoints.js';
import {
  createTestHost,
  failureFrom,
  OTHER_RUN_ID,
  RUN_ID,
  snapshot,
  type TestHost,
} from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });
const abort = (runId = RUN_ID) =>
  host.offer(
    'abortSector',
    { v: CONTRACT_VERSION, seal: host.seal, claim: 1, run: runId, why: 'aborted: wrong miner' },
    { runId },
    { slots: { enter: () => undefined } },
  ).done;
const note = () => abortedFile(host.group, sectorOf(host.seal.sector));

test('an abort of a run that was overtaken leaves the sector of the other run, and its engine, alone (A2)', async () => {
  await host.run('P1');
  host.seal = { ...host.seal, ticket: 'cc'.repeat(32) };
  await hold(host, 'P1');
  const { done } = host.begin('P1', {}, { runId: OTHER_RUN_ID }, another());
  await eventually(async () => (await readProgress(host.path('2/P1-1')))?.step === 'done');
  const { pid = NaN } = (await readProgress(host.path('2/P1-1'))) ?? {};
  const refused = await failureFrom(abort());
  expect(refused).toMatchObject({ type: 'ClaimedByOther', nonRetryable: true });
  expect(await isAlive(pid)).toBe(true);
  expect(existsSync(note())).toBe(false);
  await release(host, 'P1');
  expect(await done).toMatchObject({ at: '2/P1-1' });
});

test('a late task of a run that was overtaken does not write its ticket over the other one (A4)', async () => {
  await host.run('P1');
  const late = host.seal;
  host.seal = { ...host.seal, ticket: 'cc'.repeat(32) };
  await host.run('P1', {}, { runId: OTHER_RUN_ID });
  const sectorFile = () => readFile(host.path('sector.json'), 'utf8');
  const before = await sectorFile();
  expect(before).toContain('cc'.repeat(32));
  expect(await failureFrom(host.run('P1', { seal: late }))).toMatchObject({ type: 'ClaimedByOther' });
  expect(await sectorFile()).toBe(before);
});

describe('a directory that is a symbolic link (A5)', () => {
  async function linkedBack(): Promise<void> {
    const elsewhere = join(host.root, 'elsewhere');
    await rename(host.directory, elsewhere);
    await symlink(elsewhere, host.directory);
  }

  test.each(['P1', 'P2'] as const)(
    'is not gone: %s reports it at once, and nothing runs again',
    async (phase) => {
      await host.seals('P1');
      await linkedBack();
      const failed = await failureFrom(host.run(phase));
      expect(failed).toMatchObject({ type: 'NotOurs', nonRetryable: true });
      expect(failed.message).toContain('symbolic link');
      expect((await readdir(join(host.root, 'elsewhere', '1'))).sort()).toEqual(['P1-1', 'epoch.json']);
    },
  );

  test('is neither stopped nor aborted', async () => {
    await host.seals('P1');
    await linkedBack();
    expect(await failureFrom(abort())).toMatchObject({ type: 'NotOurs' });
    expect(existsSync(host.path('1/P1-1', 'result.json'))).toBe(true);
  });
});

describe('an abort before there was a directory (A6)', () => {
  test('leaves its note: a late P1 of its run does not recreate the sector', async () => {
    await abort();
    expect(existsSync(note())).toBe(true);
    const late = await failureFrom(host.run('P1'));
    // Whatever is retried without end must have a delay: this one ends the workflow (B2).
    expect(late).toMatchObject({ type: 'Aborted', nonRetryable: true });
    expect(await readdir(cacheDir(host.group))).toEqual([]);
    expect((await host.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('1/P1-1');
  });

  test('deletes a reservation that a P1 has just made', async () => {
    await mkdir(host.directory);
    await abort();
    expect(await readdir(cacheDir(host.group))).toEqual([]);
  });
});

describe('a sector that was aborted and begun again by another run', () => {
  const begunAgain = async (): Promise<void> => {
    await host.run('P1');
    await abort();
    expect((await host.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('1/P1-1');
  };

  test('is not taken over by a late task of the aborted run', async () => {
    await begunAgain();
    const before = await snapshot(host.directory);
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'Aborted', nonRetryable: true });
    expect(await snapshot(host.directory)).toEqual(before);
  });

  test('and aborted again binds both runs', async () => {
    await begunAgain();
    await abort(OTHER_RUN_ID);
    for (const runId of [RUN_ID, OTHER_RUN_ID])
      expect(await failureFrom(host.run('P1', {}, { runId }))).toMatchObject({ type: 'Aborted' });
    expect(await readdir(cacheDir(host.group))).toEqual([]);
  });

  test('retains what P6 of that run has renamed away and not yet marked done', async () => {
    await begunAgain();
    const gone = join(cacheDir(host.group), goneName(sectorOf(host.seal.sector), 'b'));
    await rename(host.directory, gone);
    await writeFile(join(gone, 'clean.json'), '{}');
    await abort();
    expect(existsSync(join(gone, 'clean.json'))).toBe(true);
    expect(existsSync(join(gone, '1', 'P1-1', 'result.json'))).toBe(true);
  });
});
