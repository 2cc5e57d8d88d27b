/** What P1 and P2 took on the hosts of a group, and what is reckoned from it. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Durations } from '../../../src/group/durations.js';
import { durationsDir, type GroupDirectory } from '../../../src/paths.js';
import { usual } from '../../../src/ticket.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOUR = 3600;
let group: GroupDirectory;
let own: Durations;
beforeEach(async () => {
  group = { root: await temporaryDirectory(), subdirectory: '10.0.0.9' };
  // As of a version before: `durations/` is missing.
  await mkdir(join(group.root, 'nfs/10.0.0.9'), { recursive: true });
  own = new Durations('10.0.0.1');
});

const records = async (durations: Durations, phase: 'P1' | 'P2', ...hours: number[]): Promise<void> => {
  for (const [i, n] of hours.entries())
    await durations.record(group, '32GiB', phase, `t01000/${i} 1/${phase}-1`, n * HOUR);
};
const hoursOf = async (durations = own) => {
  const { P1, P2 } = await durations.needs(group, '32GiB');
  return [P1, P2].map(({ ms, of }) => [ms / 3_600_000, of]);
};

test('before any is finished the table counts', async () => {
  expect(await own.needs(group, '32GiB')).toEqual({ P1: usual('32GiB', 'P1'), P2: usual('32GiB', 'P2') });
});

test('the median counts: one that was held up for a day does not', async () => {
  await records(own, 'P1', 5, 30, 6);
  await records(own, 'P2', 1);
  expect(await hoursOf()).toEqual([
    [6, 3],
    [1, 1],
  ]);
  expect(own.latest?.P1.of).toBe(3);
});

test('of this host, else of the others: P2 may run elsewhere', async () => {
  const other = new Durations('10.0.0.2');
  await records(other, 'P1', 20);
  await records(other, 'P2', 2);
  await records(own, 'P1', 5);
  expect(await hoursOf()).toEqual([
    [5, 1],
    [2, 1],
  ]);
  await own.record(group, '64GiB', 'P2', 't01000/1 1/P2-1', 9);
  expect((await hoursOf())[1]).toEqual([2, 1]);
});

test('each is noted once, and the newest fifteen are kept', async () => {
  await records(own, 'P1', ...Array.from({ length: 20 }, (_, i) => i));
  await own.record(group, '32GiB', 'P1', 't01000/19 1/P1-1', 1000 * HOUR);
  expect((await hoursOf())[0]).toEqual([12, 15]);
});

test('those that end at the same moment are all noted', async () => {
  const all = Array.from({ length: 8 }, (_, i) => own.record(group, '32GiB', 'P1', `t01000/${i} 1/P1-1`, 1));
  await Promise.all(all);
  expect((await own.needs(group, '32GiB')).P1.of).toBe(8);
});

test('a note that cannot be understood counts as missing, and is written anew', async () => {
  await records(own, 'P1', 7);
  const [name = ''] = await readdir(durationsDir(group));
  for (const text of ['{', '[]', '{"v":1,"took":[{"work":"x","seconds":-1}]}', '{"v":99,"took":[]}']) {
    await writeFile(join(durationsDir(group), name), text);
    expect((await own.needs(group, '32GiB')).P1).toEqual(usual('32GiB', 'P1'));
  }
  await records(own, 'P1', 8);
  expect(JSON.parse(await readFile(join(durationsDir(group), name), 'utf8'))).toMatchObject({
    v: 1,
    took: [{ work: 't01000/0 1/P1-1', seconds: 8 * HOUR }],
  });
});

test('where it cannot be noted the next one is tried all the same', async () => {
  await rm(join(group.root, 'nfs'), { recursive: true });
  await expect(records(own, 'P1', 1)).rejects.toThrow('ENOENT');
  await mkdir(join(group.root, 'nfs/10.0.0.9'), { recursive: true });
  await records(own, 'P1', 1);
  expect((await hoursOf())[0]).toEqual([1, 1]);
});
