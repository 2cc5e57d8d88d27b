/** What a process may take, with samples of hosts with and without cgroups. */
import { describe, expect, test } from 'vitest';
import { availableMemory, memoryLimit } from '../../../src/machine/memory-limit.js';

const MEMINFO = { '/proc/meminfo': 'MemTotal:  100 kB\nMemAvailable:       50 kB\n' };

const sources = (files: Record<string, string>, constrained = 0) => ({
  read: (path: string) => Promise.resolve(files[path] ?? ''),
  constrained: () => constrained,
});

/** Of cgroup v2. */
const level = (path: string, max: string, current: number, file: number): Record<string, string> => ({
  [`/sys/fs/cgroup${path}/memory.max`]: `${max}\n`,
  [`/sys/fs/cgroup${path}/memory.current`]: `${current}\n`,
  [`/sys/fs/cgroup${path}/memory.stat`]: `anon 10\nfile ${file}\ninactive_file 1\n`,
});

const OLD = '/sys/fs/cgroup/memory';
const v1 = (path: string, limit: string, usage: number, cache: number): Record<string, string> => ({
  [`${OLD}${path}/memory.limit_in_bytes`]: `${limit}\n`,
  [`${OLD}${path}/memory.usage_in_bytes`]: `${usage}\n`,
  [`${OLD}${path}/memory.stat`]: `cache 9\ninactive_file 1\ntotal_inactive_file ${cache}\n`,
});
/** What v1 says for no limit. */
const NONE = '9223372036854771712';

describe('memory', () => {
  test('is the host’s where nothing is limited', async () => {
    expect(await availableMemory(sources(MEMINFO))).toBe(51_200);
    expect(await memoryLimit(sources(MEMINFO))).toBe(102_400);
    const unlimited = {
      ...MEMINFO,
      '/proc/self/cgroup': '9:memory:/a\n0::/a\n',
      ...level('/a', 'max', 9, 1),
      ...v1('/a', NONE, 9, 1),
    };
    expect(await availableMemory(sources(unlimited))).toBe(51_200);
    expect(await memoryLimit(sources(unlimited))).toBe(102_400);
  });

  test('is that of the container’s root, which needs no path', async () => {
    const files = { ...MEMINFO, ...level('', '40000', 30_000, 5_000) };
    expect(await availableMemory(sources(files))).toBe(15_000);
    expect(await memoryLimit(sources(files))).toBe(40_000);
  });

  test.each([
    ['own cgroup', '40000', 'max'],
    ['slice above it', 'max', '40000'],
  ])('is that of the %s', async (_, own, slice) => {
    const files = {
      ...MEMINFO,
      '/proc/self/cgroup': '0::/sealing.slice/sealflow-worker@p4.service\n',
      ...level('/sealing.slice/sealflow-worker@p4.service', own, 30_000, 5_000),
      ...level('/sealing.slice', slice, 30_000, 5_000),
    };
    expect(await availableMemory(sources(files))).toBe(15_000);
    expect(await memoryLimit(sources(files))).toBe(40_000);
  });

  test('is the least of all levels, which need not be the one with the least limit', async () => {
    const files = {
      ...MEMINFO,
      '/proc/self/cgroup': '0::/a/b\n',
      ...level('/a/b', '40000', 10_000, 0),
      ...level('/a', '60000', 55_000, 0),
    };
    expect(await availableMemory(sources(files))).toBe(5_000);
    expect(await memoryLimit(sources(files))).toBe(40_000);
  });

  test.each(['/a/b', '/a'])('is that of cgroup v1 at %s', async (limited) => {
    const files = {
      ...MEMINFO,
      '/proc/self/cgroup': '12:cpu,cpuacct:/x\n5:memory:/a/b\n1:name=systemd:/y\n0::/z\n',
      ...v1('/a/b', NONE, 30_000, 5_000),
      ...v1('/a', NONE, 30_000, 5_000),
      ...v1(limited, '40000', 30_000, 5_000),
    };
    expect(await availableMemory(sources(files))).toBe(15_000);
    expect(await memoryLimit(sources(files))).toBe(40_000);
  });

  test('is that of the root where the own path is the host’s, and cannot be seen', async () => {
    const files = { ...MEMINFO, '/proc/self/cgroup': '5:memory:/docker/4f\n0::/../x\n' };
    expect(await availableMemory(sources({ ...files, ...v1('', '40000', 30_000, 5_000) }))).toBe(15_000);
  });

  test('is no more than Node was told', async () => {
    expect(await availableMemory(sources(MEMINFO, 700))).toBe(700);
    expect(await memoryLimit(sources(MEMINFO, 700))).toBe(700);
    expect(await memoryLimit(sources(MEMINFO, 2 ** 64))).toBe(102_400);
  });

  test('is never less than none', async () => {
    expect(await availableMemory(sources({ ...MEMINFO, ...level('', '100', 200, 0) }))).toBe(0);
  });

  test('of this machine is some', async () => {
    const available = await availableMemory();
    expect(available).toBeGreaterThan(0);
    expect(await memoryLimit()).toBeGreaterThanOrEqual(available);
    expect(await memoryLimit()).toBeLessThan(Infinity);
  });
});
