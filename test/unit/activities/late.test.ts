/**
 * Tasks of P5 and P6 that come late: cut off from Temporal, not from the disks, while a later claim works in the
 * sector.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { claimEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import { readJson } from '../../../src/files.js';
import { cacheDir } from '../../../src/paths.js';
import { cancel } from '../../helpers/cancellation.js';
import { eventually } from '../../helpers/eventually.js';
import { createTestHost, failureFrom, OTHER_RUN_ID, RUN_ID, type TestHost } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
  await host.seals('P1', 'P2', 'P3', 'P4');
});

const layer = (): string => host.path('1/P1-1', 'sc-02-data-layer-1.dat');

/** Storage nodes are checked before the final names are linked, and again after that. */
const atCheck = (number: number, what: () => Promise<unknown>) => {
  let checks = 0;
  return async (): Promise<void> => {
    if (++checks === number) await what();
  };
};

test.each([
  ['a later claim of the run', 1, `${RUN_ID}#2`, 'Overtaken'],
  ['another run', 1, `${OTHER_RUN_ID}#1`, 'ClaimedByOther'],
  ['a later claim of the run', 2, `${RUN_ID}#2`, 'Overtaken'],
  ['another run', 2, `${OTHER_RUN_ID}#1`, 'ClaimedByOther'],
] as const)('a P6 that %s overtakes at check %i deletes nothing', async (_, check, owner, type) => {
  host.results.P5 = await host.run('P5');
  const checkNode = atCheck(check, () => claimEpoch(host.directory, owner, 'another host'));
  expect(await failureFrom(host.clean({}, {}, { nodes: { check: checkNode } }))).toMatchObject({ type });
  expect(existsSync(layer())).toBe(true);
  expect(existsSync(join(host.node, 'sealed'))).toBe(check === 2);
});

test('a P5 of an earlier claim leaves the copy that counts alone, and deletes its own', async () => {
  const checkpoint = { reached: false, open: false };
  const checkNode = atCheck(1, async () => {
    checkpoint.reached = true;
    await eventually(() => checkpoint.open);
  });
  const late = host.begin('P5', {}, {}, { nodes: { check: checkNode } });
  await eventually(() => checkpoint.reached);
  host.results.P5 = await host.run('P5', { claim: 2 });
  const { facts } = (await readJson(host.path(host.results.P5.at, 'result.json'))) as {
    facts: { staging: string };
  };
  checkpoint.open = true;
  expect(await failureFrom(late.done)).toMatchObject({ type: 'Overtaken' });
  expect(existsSync(join(host.node, facts.staging, 'sealed'))).toBe(true);
  expect(await readdir(join(host.node, '.sealflow'))).toHaveLength(1);
});

test('a P6 that is cancelled while it publishes leaves the sector as it was', async () => {
  host.results.P5 = await host.run('P5');
  const tasks: ReturnType<typeof offer>[] = [];
  const checkNode = atCheck(2, () => Promise.resolve(tasks.map(({ env }) => cancel(env))));
  const offer = () => host.offer('cleanSector', host.cleanInput(), {}, { nodes: { check: checkNode } });
  const task = offer();
  tasks.push(task);
  await failureFrom(task.done);
  expect(await readdir(cacheDir(host.group))).toEqual(['s-t01000-7']);
  expect(existsSync(layer())).toBe(true);
});

test('the rest of a cancelled P6’s deletion is deleted when the sector is started again', async () => {
  host.results.P5 = await host.run('P5');
  await host.clean();
  const gone = join(cacheDir(host.group), '.gone-s-t01000-7-11111111-2222-4333-8444-555555555555');
  await mkdir(gone);
  expect(await failureFrom(host.run('P1', {}, { runId: OTHER_RUN_ID }))).toMatchObject({
    type: 'AlreadySealed',
  });
  expect(await readdir(cacheDir(host.group))).toEqual([]);
});

test('what another group has left on the node does not stop P6', async () => {
  host.results.P5 = await host.run('P5');
  await mkdir(join(host.node, '.sealflow/.gone-of-another-group'));
  await symlink('/nowhere', join(host.node, '.sealflow/.gone-of-another-group/link'));
  await host.clean();
  expect(await readdir(cacheDir(host.group))).toEqual([]);
});
