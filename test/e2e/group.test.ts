import { readFile, readlink } from 'node:fs/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { ENGINE_PHASE_IDS } from '../../src/phases.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { Cluster } from '../helpers/cluster.js';
import { ENGINE } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import type { Group, Pool } from '../helpers/group.js';
import {
  expectCleaned,
  expectNoParts,
  expectStored,
  filesBelow,
  readJsonFile,
  readReceipt,
  receiptPath,
  verifyReceipt,
} from '../helpers/on-disk.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The hosts of a real group: one with the disks, the others for computing. */
const REAL_GROUP: readonly (readonly Pool[])[] = [
  [
    [10, 'P1'],
    [1, 'P5', 'P6'],
  ],
  [[1, 'P2', 'P3']],
  [[1, 'P2', 'P3']],
  [[1, 'P4']],
];
/** The two hosts of a small group. */
const SMALL_GROUP: readonly (readonly Pool[])[] = [
  [
    [4, 'P1'],
    [1, 'P5', 'P6'],
  ],
  [
    [1, 'P2', 'P3'],
    [2, 'P4'],
  ],
];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

async function serve(group: Group, hosts: readonly (readonly Pool[])[]): Promise<void> {
  await Promise.all(hosts.map((pools, i) => group.host(i + 1, { pools })));
  await cluster.untilServed(group);
}

test('a group of four hosts seals five sectors, each with exactly six activities', async () => {
  const group = await cluster.group();
  await serve(group, REAL_GROUP);
  const sectors = Array.from({ length: 5 }, () => cluster.newSector());
  const range = `${sectors[0]}-${sectors.at(-1)?.split('/')[1]}`;
  const place = ['--group', String(group.number), '--size', group.size, '--time-scale', '0.2'];
  const started = await cluster.sealflow('start', range, ...place, '--test');
  expect(started).toMatchObject({ code: 0, stderr: '' });

  for (const sector of sectors) {
    const result = await cluster.sealed(sector);
    const { commR, proof, phases } = await readReceipt(group.node, sector);
    expect(result).toMatchObject({ sector, proof, storage: { node: group.directory.subdirectory } });
    expect(Buffer.from(result.commR, 'base64').toString('hex')).toBe(commR);
    // Each phase ran on a host that serves it.
    expect([phases.P1.host, phases.P5.host, phases.P4.host]).toEqual([group.ip(1), group.ip(1), group.ip(4)]);
    for (const id of ['P2', 'P3'] as const) expect([group.ip(2), group.ip(3)]).toContain(phases[id].host);

    const { activities, events } = await cluster.history(sector);
    expect([...activities].sort()).toEqual([
      'cleanSector',
      'commitPhase1',
      'commitPhase2',
      'copySector',
      'preCommitPhase1',
      'preCommitPhase2',
    ]);
    // 49, and five for each phase that lasts, however slow this machine is: test/workflow/events.test.ts.
    expect(events).toBeLessThan(70);
    expect(await verifyReceipt(ENGINE, receiptPath(group.node, sector))).toEqual({
      code: 0,
      said: { sector, valid: true },
    });
    expect(await readJsonFile(group.done(sector))).toMatchObject({
      v: 1,
      sector,
      commR,
      storage: result.storage,
    });
  }
  await expectStored(group.node, sectors);
  await expectNoParts(group.node);
  await expectCleaned(group, sectors);
  expect((await group.starts()).map(({ at }) => at)).toHaveLength(5 * ENGINE_PHASE_IDS.length);
});

test('two groups on one server never touch each other', async () => {
  const groups = [await cluster.group('2KiB'), await cluster.group('8MiB')];
  await Promise.all(groups.map((group) => serve(group, SMALL_GROUP)));
  const work = groups.flatMap((group) => [1, 2].map(() => ({ group, sector: cluster.newSector() })));
  // P4 is the last engine: while it is held, everything else is on disk and can be inspected.
  for (const { group, sector } of work) await group.tell(sector, 'P4', 'hold');
  for (const { group, sector } of work) await cluster.start(group, sector);
  for (const { group, sector } of work) {
    await eventually(async () => (await cluster.status(sector)).phases.P5.state === 'done');
    await expectOwn(group, sector);
  }
  for (const group of groups)
    await expectOnlyOf(
      group,
      work.filter((one) => one.group === group),
    );
  for (const { group, sector } of work) await group.takeBack(sector, 'P4', 'hold');
  for (const { sector } of work) await cluster.sealed(sector);
  for (const group of groups) {
    const own = work.filter((one) => one.group === group).map(({ sector }) => sector);
    await expectStored(group.node, own);
    await expectCleaned(group, own);
    for (const sector of own) {
      const { size, phases } = await readReceipt(group.node, sector);
      expect(size).toBe(group.size);
      for (const { host } of Object.values(phases)) expect([group.ip(1), group.ip(2)]).toContain(host);
    }
  }
});

/** Each attempt is by a host of the group, names nothing outside the group, and its engine runs within it. */
async function expectOwn(group: Group, sector: string): Promise<void> {
  for (const phase of ENGINE_PHASE_IDS) {
    const job = await readJsonFile<Record<string, unknown>>(
      group.attempt(sector, `1/${phase}-1`, 'job.json'),
    );
    expect(job).toMatchObject({ phase, sector, size: group.size });
    expect([group.ip(1), group.ip(2)]).toContain((job['madeBy'] as { host: string }).host);
    const { copy, inputs } = job as { copy?: { node: string }; inputs: Record<string, string> };
    for (const path of Object.values(inputs)) expect(path).toMatch(/^\.\.\/P[1-4]-1$/);
    if (copy) expect(copy.node).toBe(group.node);
  }
  const { pid } = await group.engine(sector, 'P4');
  expect(await readlink(`/proc/${pid}/cwd`)).toBe(group.attempt(sector, '1/P4-1'));
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain(group.root);
}

/** No file on the group's disks belongs to another group. */
async function expectOnlyOf(group: Group, work: readonly { sector: string }[]): Promise<void> {
  const own = work.map(({ sector }) => sectorFileName(sectorOf(sector)));
  for (const root of [group.directory.root, group.node]) {
    const names = (await filesBelow(root)).filter(
      (name) => name !== 'sealflow.json' && !name.includes('/durations/'),
    );
    const sectors = new Set(names.map((name) => /s-t0[0-9]+-[0-9]+/.exec(name)?.[0]));
    expect([...sectors].sort()).toEqual(own);
  }
}
