/** What runs that have lost a sector, or have given it up, may do to it. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readProgress } from '../../../src/attempts/progress.js';
import { EngineStarter } from '../../../src/attempts/start.js';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { abortedFile, cacheDir } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/gate.js';
import { createSite, failureFrom, OTHER_RUN_ID, RUN_ID, type Site } from '../../helpers/site.js';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});

const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: site.environment }) });
const abort = (runId = RUN_ID) =>
  site.offer(
    'abortSector',
    { v: CONTRACT_VERSION, seal: site.seal, claim: 1, run: runId, why: 'aborted: wrong miner' },
    { runId },
    { enterSlot: () => undefined },
  ).done;
const note = () => abortedFile(site.group, sectorOf(site.seal.sector));

test('an abort of a run that was overtaken leaves the sector of the other run, and its engine, alone (A2)', async () => {
  await site.run('P1');
  site.seal = { ...site.seal, ticket: 'cc'.repeat(32) };
  await hold(site, 'P1');
  const { done } = site.begin('P1', {}, { runId: OTHER_RUN_ID }, another());
  await eventually(async () => (await readProgress(site.path('2/P1-1')))?.step === 'done');
  const { pid = NaN } = (await readProgress(site.path('2/P1-1'))) ?? {};
  const refused = await failureFrom(abort());
  expect(refused).toMatchObject({ type: 'ClaimedByOther', nonRetryable: true });
  expect(await isAlive(pid)).toBe(true);
  expect(existsSync(note())).toBe(false);
  await release(site, 'P1');
  expect(await done).toMatchObject({ at: '2/P1-1' });
});

test('a late task of a run that was overtaken does not write its ticket over the other one (A4)', async () => {
  await site.run('P1');
  const late = site.seal;
  site.seal = { ...site.seal, ticket: 'cc'.repeat(32) };
  await site.run('P1', {}, { runId: OTHER_RUN_ID });
  const sectorFile = () => readFile(site.path('sector.json'), 'utf8');
  const before = await sectorFile();
  expect(before).toContain('cc'.repeat(32));
  expect(await failureFrom(site.run('P1', { seal: late }))).toMatchObject({ type: 'ClaimedByOther' });
  expect(await sectorFile()).toBe(before);
});

describe('a directory that is a symbolic link (A5)', () => {
  async function linkedBack(): Promise<void> {
    const elsewhere = join(site.root, 'elsewhere');
    await rename(site.directory, elsewhere);
    await symlink(elsewhere, site.directory);
  }

  test.each(['P1', 'P2'] as const)(
    'is not gone: %s says so at once, and nothing runs again',
    async (phase) => {
      await site.seals('P1');
      await linkedBack();
      const failed = await failureFrom(site.run(phase));
      expect(failed).toMatchObject({ type: 'NotOurs', nonRetryable: true });
      expect(failed.message).toContain('symbolic link');
      expect((await readdir(join(site.root, 'elsewhere', '1'))).sort()).toEqual(['P1-1', 'epoch.json']);
    },
  );

  test('is neither stopped nor aborted', async () => {
    await site.seals('P1');
    await linkedBack();
    expect(await failureFrom(abort())).toMatchObject({ type: 'NotOurs' });
    expect(existsSync(site.path('1/P1-1', 'result.json'))).toBe(true);
  });
});

describe('an abort before there was a directory (A6)', () => {
  test('leaves its note: a late P1 of its run does not bring the sector back', async () => {
    await abort();
    expect(existsSync(note())).toBe(true);
    const late = await failureFrom(site.run('P1'));
    // Whatever is tried again without end must have a delay: this one ends the workflow (B2).
    expect(late).toMatchObject({ type: 'Aborted', nonRetryable: true });
    expect(await readdir(cacheDir(site.group))).toEqual([]);
    expect((await site.run('P1', {}, { runId: OTHER_RUN_ID })).at).toBe('1/P1-1');
  });

  test('deletes a reservation that a P1 has just made', async () => {
    await mkdir(site.directory);
    await abort();
    expect(await readdir(cacheDir(site.group))).toEqual([]);
  });
});
