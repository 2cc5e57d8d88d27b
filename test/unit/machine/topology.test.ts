import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  allowedCpus,
  cpusOf,
  formatCpuList,
  parseCpuList,
  readTopology,
} from '../../../src/machine/topology.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

test.each([
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['5', [5]],
])('CPU list %s', (list, cpus) => {
  expect(parseCpuList(list)).toEqual(cpus);
  expect(formatCpuList(cpus)).toBe(list);
});

test('this process may run on at least one CPU, and one that has ended on none', () => {
  expect(allowedCpus().length).toBeGreaterThan(0);
  expect(
    readTopology()
      .groups.flat(2)
      .sort((a, b) => a - b),
  ).toEqual(allowedCpus());
  expect(cpusOf(2 ** 30)).toBeUndefined();
});

/** Writes what Linux tells of a CPU. */
async function writeCpu(root: string, cpu: number, siblings: string, l3?: string): Promise<void> {
  const directory = join(root, `cpu${cpu}`);
  await mkdir(join(directory, 'topology'), { recursive: true });
  await writeFile(join(directory, 'topology/thread_siblings_list'), `${siblings}\n`);
  for (const [index, level, shared] of [
    ['index2', '2', siblings],
    ['index3', '3', l3],
  ] as const) {
    if (shared === undefined) continue;
    await mkdir(join(directory, 'cache', index), { recursive: true });
    await writeFile(join(directory, 'cache', index, 'level'), `${level}\n`);
    await writeFile(join(directory, 'cache', index, 'shared_cpu_list'), `${shared}\n`);
  }
}

test('cores are told from hyperthreads, and by their L3 cache', async () => {
  const root = await temporaryDirectory();
  for (let cpu = 0; cpu < 8; cpu++) {
    const core = cpu % 4;
    await writeCpu(root, cpu, `${core},${core + 4}`, core < 2 ? '0-1,4-5' : '2-3,6-7');
  }
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  const groups = [
    [
      [0, 4],
      [1, 5],
    ],
    [
      [2, 6],
      [3, 7],
    ],
  ];
  expect(readTopology(root, all)).toEqual({ allowed: all, groups });
  // Of a container's cpuset.
  expect(readTopology(root, [1, 2, 5]).groups).toEqual([[[1, 5]], [[2]]]);
});

test('without an L3 cache all cores are one group; without /sys each CPU is a core', async () => {
  const root = await temporaryDirectory();
  for (const cpu of [0, 1]) await writeCpu(root, cpu, `${cpu}`);
  expect(readTopology(root, [0, 1, 2]).groups).toEqual([[[0], [1], [2]]]);
});
