import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryOfHost, type Memory } from '../../../src/machine/memory-limit.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const GB = 1e9;
const MEMINFO = 'MemTotal:       125000000 kB\nMemFree: 1 kB\nMemAvailable:   100000000 kB\n';
const HOST = { total: 128 * GB, available: 102.4 * GB };
const V1_MOUNT =
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n' +
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';
const V2_MOUNT = '31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n';

/** The amounts that are reported if only these files exist. */
async function memoryWith(files: Record<string, string>, constrained = 0): Promise<unknown> {
  const { total, available } = await readWith(files, constrained);
  return { total, available };
}

async function limitWith(files: Record<string, string>): Promise<unknown> {
  const { available, limitedBy } = await readWith(files);
  return { available, limitedBy };
}

async function readWith(files: Record<string, string>, constrained = 0): Promise<Memory> {
  const root = await temporaryDirectory();
  const all = { 'proc/meminfo': MEMINFO, ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return await memoryOfHost({ root, constrained });
}

const v1 = (directory: string, limit: number | string, usage = 0, stat = ''): Record<string, string> => ({
  [`sys/fs/cgroup/memory${directory}/memory.limit_in_bytes`]: `${limit}\n`,
  [`sys/fs/cgroup/memory${directory}/memory.usage_in_bytes`]: `${usage}\n`,
  [`sys/fs/cgroup/memory${directory}/memory.stat`]: stat,
});
const v2 = (directory: string, max: number | string, current = 0, stat = ''): Record<string, string> => ({
  [`sys/fs/cgroup${directory}/memory.max`]: `${max}\n`,
  [`sys/fs/cgroup${directory}/memory.current`]: `${current}\n`,
  [`sys/fs/cgroup${directory}/memory.stat`]: stat,
});
const inV1 = (path: string, mount = V1_MOUNT): Record<string, string> => ({
  'proc/self/cgroup': `8:pids:/\n4:cpu,memory:${path}\n0::/elsewhere\n`,
  'proc/self/mountinfo': mount,
});
const inV2 = (path: string, mount = V2_MOUNT): Record<string, string> => ({
  'proc/self/cgroup': `0::${path}\n`,
  'proc/self/mountinfo': mount,
});
const UNLIMITED_V1 = '9223372036854771712';

test('without cgroups: the memory of the host', async () => {
  expect(await memoryWith({})).toEqual(HOST);
});

test('cgroup v1: its own limit, less used memory without page cache', async () => {
  const stat =
    'cache 999\ntotal_cache 3000000000\ntotal_inactive_file 1000000000\ntotal_active_file 1000000000\n';
  const files = { ...inV1('/a'), ...v1('', UNLIMITED_V1, 90e9), ...v1('/a', 8 * GB, 5 * GB, stat) };
  expect(await memoryWith(files)).toEqual({ total: 8 * GB, available: 5 * GB });
});

test('cgroup v1: unlimited', async () => {
  const files = { ...inV1('/a'), ...v1('', UNLIMITED_V1, 90e9), ...v1('/a', UNLIMITED_V1, 5 * GB) };
  expect(await memoryWith(files)).toEqual(HOST);
});

test('cgroup v1: a limit of a parent cgroup', async () => {
  const files = { ...inV1('/a/b/c'), ...v1('/a', 2 * GB, GB), ...v1('/a/b/c', 8 * GB, GB) };
  expect(await memoryWith(files)).toEqual({ total: 2 * GB, available: GB });
});

test('cgroup v2: a unit’s MemoryMax, less used memory without page cache', async () => {
  const unit = '/system.slice/sealflow-worker@p4.service';
  const files = { ...inV2(unit), ...v2(unit, 60 * GB, 20 * GB, 'anon 1\nfile 12000000000\n') };
  expect(await memoryWith(files)).toEqual({ total: 60 * GB, available: 52 * GB });
});

test('cgroup v2: tmpfs cannot be reclaimed', async () => {
  const stat = 'file 12000000000\nshmem 10000000000\ninactive_file 1500000000\nactive_file 500000000\n';
  const files = { ...inV2('/a'), ...v2('/a', 60 * GB, 20 * GB, stat) };
  expect(await memoryWith(files)).toEqual({ total: 60 * GB, available: 42 * GB });
});

test('cgroup v2: "max" is no limit', async () => {
  expect(await memoryWith({ ...inV2('/a'), ...v2('/a', 'max', 90e9) })).toEqual(HOST);
});

test('cgroup v2: the lowest of nested limits counts, for total and available each', async () => {
  const files = { ...inV2('/a/b'), ...v2('/a', 10 * GB, 9 * GB), ...v2('/a/b', 8 * GB, GB) };
  expect(await memoryWith(files)).toEqual({ total: 8 * GB, available: GB });
});

test('cgroup v2: memory.high is a limit', async () => {
  const files = { ...inV2('/a'), ...v2('/a', 10 * GB, GB), 'sys/fs/cgroup/a/memory.high': '4000000000\n' };
  expect(await memoryWith(files)).toEqual({ total: 4 * GB, available: 3 * GB });
});

test.each([
  ['a namespace of its own', '/', '/'],
  ['the host’s namespace, of which its part is mounted', '/docker/abc', '/docker/abc'],
  ['a path from outside', '/../../x', '/'],
])('in a container with %s the limit is at the mount point', async (_, path, mounted) => {
  const mount = V2_MOUNT.replace(' / /sys', ` ${mounted} /sys`);
  expect(await memoryWith({ ...inV2(path, mount), ...v2('', 3 * GB, GB) })).toEqual({
    total: 3 * GB,
    available: 2 * GB,
  });
});

test('usage above the limit: nothing available', async () => {
  expect(await memoryWith({ ...inV2('/a'), ...v2('/a', GB, 2 * GB) })).toEqual({ total: GB, available: 0 });
});

test('the bound reported by Node counts too', async () => {
  expect(await memoryWith({}, 5 * GB)).toEqual({ total: 5 * GB, available: 5 * GB });
  expect(await memoryWith({}, 2 ** 64)).toEqual(HOST);
});

test.each([
  ['of its own', inV1('/a/b'), { ...v1('/a/b', 3 * GB, 2 * GB), ...v1('/a', 8 * GB, GB) }, 'memory/a/b'],
  ['of one above it', inV2('/a/b'), { ...v2('/a', 8 * GB, 7 * GB), ...v2('/a/b', 3 * GB, GB) }, 'a'],
])('names the cgroup that leaves the least: %s', async (_, process, limits, name) => {
  expect(await limitWith({ ...process, ...limits })).toEqual({
    available: GB,
    limitedBy: `/sys/fs/cgroup/${name}`,
  });
});

test('names no cgroup where the host has less', async () => {
  const files = { ...inV2('/a'), ...v2('/a', 128 * GB, GB) };
  expect(await limitWith(files)).toEqual({ available: HOST.available, limitedBy: undefined });
});
