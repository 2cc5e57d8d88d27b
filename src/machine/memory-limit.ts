/**
 * How much memory our processes may use; the only place that reads it. The host's memory is a bound, and so is
 * the limit of this process' cgroup and of each cgroup above it: a container, a systemd unit (`MemoryMax=`), a
 * slice.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface Memory {
  /** Bytes in total. */
  total: number;
  /** Bytes that can still be allocated without swapping and without an OOM kill by a cgroup. */
  available: number;
  /** Directory of the cgroup that sets `available`; undefined: the host does. */
  limitedBy?: string;
}

export interface MemoryOptions {
  /** Parent directory of `proc` and `sys`; set in tests. */
  root?: string;
  /** The bound reported by Node; 0, or more than the total, if it knows none. */
  constrained?: number;
}

/** Reads both values, uncached. Files that cannot be read set no bound. Never throws. */
export async function memoryOfHost({
  root = '/',
  constrained = process.constrainedMemory(),
}: MemoryOptions = {}): Promise<Memory> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '');
  const nodeBound = constrained > 0 ? constrained : Infinity;
  const meminfo = await read('/proc/meminfo');
  const bounds: Memory[] = [
    { total: kilobytes(meminfo, 'MemTotal'), available: kilobytes(meminfo, 'MemAvailable') },
    { total: nodeBound, available: nodeBound },
  ];
  for (const { directory, files } of await cgroups(read)) bounds.push(await boundOf(directory, files, read));
  const least = bounds.reduce((one, other) => (other.available < one.available ? other : one));
  return {
    total: Math.min(...bounds.map(({ total }) => total)),
    available: Math.max(0, least.available),
    ...(least.limitedBy !== undefined && { limitedBy: least.limitedBy }),
  };
}

type Read = (path: string) => Promise<string>;

const kilobytes = (meminfo: string, name: string): number => {
  const found = new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(meminfo)?.[1];
  return found === undefined ? Infinity : Number(found) * 1024;
};

/** File names of a cgroup version. */
interface Files {
  /** Files that may contain a limit; the lowest counts. */
  limits: readonly string[];
  usage: string;
  /**
   * Lines of memory.stat with the page cache, which counts as used but is reclaimed on demand. LRU lists come
   * first, because `file` and `cache` include tmpfs, which cannot be reclaimed.
   */
  cache: readonly (readonly string[])[];
}

const V1: Files = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  cache: [['total_inactive_file', 'total_active_file'], ['total_cache'], ['cache']],
};

const V2: Files = {
  // Above memory.high nothing is killed, but processes are throttled until they hardly progress.
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  cache: [['inactive_file', 'active_file'], ['file']],
};

/** Directories of the memory cgroups of this process: its own first, then those above it. */
async function cgroups(read: Read): Promise<{ directory: string; files: Files }[]> {
  const mounts = await read('/proc/self/mountinfo');
  const found: { directory: string; files: Files }[] = [];
  for (const line of (await read('/proc/self/cgroup')).split('\n')) {
    const [, controllers = '', path = ''] = /^[0-9]+:([^:]*):(.*)$/.exec(line) ?? [];
    const isV2 = line.startsWith('0::');
    if (!isV2 && !controllers.split(',').includes('memory')) continue;
    const { root, point } = cgroupMount(mounts, isV2);
    for (const directory of cgroupsAbove(point, belowRoot(path, root)))
      found.push({ directory, files: isV2 ? V2 : V1 });
  }
  return found;
}

/** The mount point of a cgroup version's tree, and the part of the tree that is mounted there. */
function cgroupMount(mounts: string, isV2: boolean): { root: string; point: string } {
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', point = '/'] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (isV2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory'))
      return { root, point };
  }
  return { root: '/', point: isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory' };
}

/**
 * The path relative to the mounted part. A container may see the host's path, of which only its own part is
 * mounted, or a path outside its namespace (`/../..`).
 */
function belowRoot(path: string, root: string): string {
  const below = relative(root, path);
  return below.split('/').includes('..') ? '' : below;
}

function cgroupsAbove(point: string, below: string): string[] {
  const names = below.split('/').filter(Boolean);
  return [...names.keys(), names.length].map((n) => join(point, ...names.slice(0, n))).reverse();
}

async function boundOf(directory: string, files: Files, read: Read): Promise<Memory> {
  const file = (name: string): Promise<string> => read(join(directory, name));
  // `max` and missing files parse as NaN: no limit.
  const limits = (await Promise.all(files.limits.map(file))).map((text) => Number.parseInt(text, 10));
  const total = Math.min(...limits.filter((limit) => limit >= 0), Infinity);
  if (total === Infinity) return { total, available: total };
  const used = Number.parseInt(await file(files.usage), 10) || 0;
  const cache = cacheIn(await file('memory.stat'), files.cache);
  return { total, available: total - Math.max(0, used - cache), limitedBy: directory };
}

function cacheIn(stat: string, choices: Files['cache']): number {
  for (const names of choices) {
    const counts = names.map((name) => new RegExp(`^${name} ([0-9]+)$`, 'm').exec(stat)?.[1]);
    if (counts.some((count) => count !== undefined))
      return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  }
  return 0;
}
