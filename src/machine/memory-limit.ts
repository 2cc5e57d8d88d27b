/**
 * How much memory processes of ours may take: the one place that reads it. The host's is a bound, and so is each cgroup that
 * this process is in, its own and all above it: a container, a systemd unit (`MemoryMax=`), a slice.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface Memory {
  /** Bytes that there are at all. */
  total: number;
  /** Bytes that can still be taken without swapping, and without meeting the OOM killer of a cgroup. */
  available: number;
}

export interface MemoryOptions {
  /** Where `proc` and `sys` are; another one in tests. */
  root?: string;
  /** A bound that Node knows of; 0, or more than there is, where it knows of none. */
  constrained?: number;
}

/** Reads both anew; what cannot be read is no bound. Never throws. */
export async function memoryOfHost({
  root = '/',
  constrained = process.constrainedMemory(),
}: MemoryOptions = {}): Promise<Memory> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '');
  const known = constrained > 0 ? constrained : Infinity;
  const meminfo = await read('/proc/meminfo');
  const bounds: Memory[] = [
    { total: kilobytes(meminfo, 'MemTotal'), available: kilobytes(meminfo, 'MemAvailable') },
    { total: known, available: known },
  ];
  for (const { directory, files } of await cgroups(read)) bounds.push(await boundOf(directory, files, read));
  return {
    total: Math.min(...bounds.map(({ total }) => total)),
    available: Math.max(0, Math.min(...bounds.map(({ available }) => available))),
  };
}

type Read = (path: string) => Promise<string>;

const kilobytes = (meminfo: string, name: string): number => {
  const found = new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(meminfo)?.[1];
  return found === undefined ? Infinity : Number(found) * 1024;
};

/** Names of a version's files. */
interface Files {
  /** Each may hold a limit; the least counts. */
  limits: readonly string[];
  usage: string;
  /**
   * Lines of memory.stat that tell what is page cache: it counts as used, and is given back when it is wanted. The lists of
   * the LRU go first: `file` and `cache` hold tmpfs too, which is not given back.
   */
  cache: readonly (readonly string[])[];
}

const V1: Files = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  cache: [['total_inactive_file', 'total_active_file'], ['total_cache'], ['cache']],
};

const V2: Files = {
  // Above memory.high nothing is killed, but all is slowed down until it stands.
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  cache: [['inactive_file', 'active_file'], ['file']],
};

/** The cgroups of memory that this process is in, each as a directory: its own first, then those above it. */
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

/** Where a version's tree is mounted, and which part of it. */
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

/** A container may see the host's path, of which only its own part is mounted, or a path from outside (`/../..`). */
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
  // `max` and what is not there are no numbers, and no limits.
  const limits = (await Promise.all(files.limits.map(file))).map((text) => Number.parseInt(text, 10));
  const total = Math.min(...limits.filter((limit) => limit >= 0), Infinity);
  if (total === Infinity) return { total, available: total };
  const used = Number.parseInt(await file(files.usage), 10) || 0;
  const cache = cacheIn(await file('memory.stat'), files.cache);
  return { total, available: total - Math.max(0, used - cache) };
}

function cacheIn(stat: string, choices: Files['cache']): number {
  for (const names of choices) {
    const counts = names.map((name) => new RegExp(`^${name} ([0-9]+)$`, 'm').exec(stat)?.[1]);
    if (counts.some((count) => count !== undefined))
      return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  }
  return 0;
}
