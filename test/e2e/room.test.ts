/**
 * A disk that holds four sectors: the fifth waits until a P6 frees space, and nothing ever runs into a full disk.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { epochDir } from '../../src/paths.js';
import { scratchBytes } from '../../src/phases.js';
import { lacks } from '../helpers/abilities.js';
import { Cluster } from '../helpers/cluster.js';
import { Disk } from '../helpers/disk.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const SIZE = '8MiB';
const HOLDS = 4;
/** Sectors that really use 90 % of their reservation; the rest allows for file system overhead. */
const ENV = { FIXTURE_PAD: String(Math.floor(0.9 * scratchBytes(SIZE))), FIXTURE_MS_P1: '300' };

/** Counts the group's sectors that have begun and are not cleaned yet. */
async function begun(group: Group): Promise<number> {
  const cache = join(group.directory.root, 'nfs', group.directory.subdirectory, 'cache');
  const names = (await readdir(cache)).filter((name) => name.startsWith('s-'));
  return names.filter((name) => existsSync(epochDir(join(cache, name), 1))).length;
}

/** Polls {@link begun}. @returns a function that returns the maximum so far */
function watchMax(group: Group): () => number {
  let max = 0;
  const timer = setInterval(() => {
    void begun(group).then((count) => (max = Math.max(max, count)));
  }, 20);
  onTestFinished(() => clearInterval(timer));
  return () => max;
}

describe.skipIf(await lacks('disk'))('a disk that holds four sectors', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  async function smallDisk(): Promise<Group> {
    const group = await cluster.group(SIZE);
    const megabytes = Math.ceil(((HOLDS + 0.5) * scratchBytes(SIZE)) / 2 ** 20);
    const disk = await Disk.mount(group, group.directory.root, megabytes);
    await group.setUpDirectory(disk.path);
    return group;
  }

  test('makes the fifth wait, shows why in log and status, and takes it when a P6 has freed space', async () => {
    const group = await smallDisk();
    const worker = await group.host(1, { engineEnv: ENV });
    await cluster.untilServed(group);
    const sectors = Array.from({ length: HOLDS }, cluster.newSector);
    for (const sector of sectors) await group.tell(sector, 'P4', 'hold');
    for (const sector of sectors) await cluster.start(group, sector);
    for (const sector of sectors) await group.engine(sector, 'P4');
    const fifth = cluster.newSector();
    await cluster.start(group, fifth);
    const why = `${group.directory.root} has no room for one more ${SIZE} sector`;
    // The reason is missing while the host is checking for room.
    await eventually(async () =>
      (await cluster.sealflow('status', fifth)).stdout.includes(`waits: ${group.ip(1)}: ${why}`),
    );
    expect(await cluster.handBacks(fifth)).toEqual(['NoRoom']);
    expect(existsSync(group.sector(fifth))).toBe(false);
    // Once that is known the host takes none, and says why.
    const sixth = cluster.newSector();
    await cluster.start(group, sixth);
    await eventually(async () =>
      (await cluster.sealflow('status', sixth)).stdout.includes(
        `; ${group.ip(1)} takes no new sector: ${why}`,
      ),
    );
    expect(await cluster.handBacks(sixth)).toEqual([]);
    await cluster.sealflow('cancel', sixth);

    const [first = ''] = sectors;
    await group.takeBack(first, 'P4', 'hold');
    await cluster.sealed(first);
    await group.engine(fifth, 'P1');
    for (const sector of sectors.slice(1)) await group.takeBack(sector, 'P4', 'hold');
    for (const sector of [...sectors.slice(1), fifth]) await cluster.sealed(sector);
    for (const sector of [...sectors, fifth]) expect(await cluster.failures(sector)).toEqual([]);
    const warnings = worker.said.stderr.split('\n').filter((line) => line.includes('P1 takes no new sector'));
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.every((line) => line.includes(`; P1 takes no new sector: ${why}: `))).toBe(true);
    const last = (): string =>
      worker.said.stderr.split('\n').findLast((line) => line.includes(' serves ')) ?? '';
    await eventually(() => last().includes('INFO  serves P1 P2 P3 P4 P5 P6 on '));
  });

  test('is not overcommitted by two workers that take sectors concurrently', async () => {
    const group = await smallDisk();
    // As processes: calls of one process on a mount are in one queue.
    for (const host of [1, 2]) await group.serve(host, { engineEnv: ENV });
    await cluster.untilServed(group);
    const max = watchMax(group);
    const sectors = Array.from({ length: HOLDS + 2 }, cluster.newSector);
    await Promise.all(sectors.map((sector) => cluster.start(group, sector)));
    await Promise.all(sectors.map((sector) => cluster.sealed(sector)));
    expect(max()).toBe(HOLDS);
    for (const sector of sectors) expect(await cluster.failures(sector)).toEqual([]);
  });
});
