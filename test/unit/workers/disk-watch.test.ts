import { beforeEach, describe, expect, test } from 'vitest';
import type { DiskCounters } from '../../../src/machine/disk-load.js';
import { disksOf, DiskWatch } from '../../../src/workers/disk-watch.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let disks: string[];
let counters: Record<string, DiskCounters>;
let at: number;
let watch: DiskWatch;
beforeEach(() => {
  [disks, counters, at] = [['sdb', 'sdc'], {}, 0];
  watch = new DiskWatch({
    disks: () => (disks.length > 0 ? Promise.resolve(disks) : Promise.reject(new Error('hung'))),
    sample: () => Promise.resolve({ disks: new Map(Object.entries(counters)), at }),
  });
});

/** Takes a sample with these counters: disk, writes, write ms, busy ms. */
async function sampleAt(ms: number, ...of: [string, number, number, number][]): Promise<void> {
  at = ms;
  counters = Object.fromEntries(
    of.map(([name, writes, writeMs, busyMs]) => [name, { writes, writeMs, busyMs }]),
  );
  await watch.sample();
}

describe('disk load of local_dir', () => {
  test('is the load of the busiest disk between two samples', async () => {
    await sampleAt(0, ['sda', 0, 0, 0], ['sdb', 100, 1_000, 500], ['sdc', 0, 0, 0]);
    expect(watch.latest).toBeUndefined();
    await sampleAt(10_000, ['sda', 9, 9, 10_000], ['sdb', 200, 21_000, 10_200], ['sdc', 50, 50, 2_000]);
    expect(watch.latest).toEqual({ disk: 'sdb', busy: 0.97, writeWaitMs: 200 });
    await sampleAt(20_000, ['sda', 9, 9, 20_000], ['sdb', 200, 21_000, 10_200], ['sdc', 60, 60, 7_000]);
    expect(watch.latest).toEqual({ disk: 'sdc', busy: 0.5, writeWaitMs: 1 });
  });

  test('is undefined while the mount does not answer, and if there is no disk', async () => {
    await sampleAt(0, ['sdb', 0, 0, 0]);
    await sampleAt(10, ['sdb', 1, 1, 5]);
    disks = [];
    await sampleAt(20, ['sdb', 1, 1, 5]);
    expect(watch.latest).toBeUndefined();
    disks = ['nothing'];
    await sampleAt(30, ['sdb', 1, 1, 5]);
    await sampleAt(40, ['sdb', 1, 1, 5]);
    expect(watch.latest).toBeUndefined();
  });

  test('is measured on the disks that hold the directory', async () => {
    const { disks: find, sample } = disksOf(await temporaryDirectory());
    const known = (await sample()).disks;
    expect((await find()).every((disk) => known.has(disk))).toBe(true);
  });
});
