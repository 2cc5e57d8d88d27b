/** CPUs of this machine: which of them share a core, and which cores share a cache. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The CPUs of one core that this process may use: hyperthreads, the lowest first. */
export type Core = readonly number[];

export interface Topology {
  /** CPUs that this process may run on, ascending. */
  allowed: readonly number[];
  /** Their cores, by the L3 cache that these share. */
  groups: readonly (readonly Core[])[];
}

/** CPUs that this process may run on. Respects a container's cpuset, but not its CPU quota. */
export const allowedCpus = (): number[] => cpusOf('self') ?? [];

/** CPUs that a process may run on; undefined: it has ended. */
export function cpusOf(pid: number | 'self'): number[] | undefined {
  const status = read(`/proc/${pid}/status`);
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? '')?.[1];
  return list === undefined ? undefined : parseCpuList(list);
}

/** `0-3,8` → 0 1 2 3 8 (cpuset(7), list format). */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** 0 1 2 3 8 → `0-3,8`. */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && cpu === last[1] + 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/**
 * Reads what the kernel tells in /sys. Where it tells nothing of a core, each CPU counts as one; where it tells nothing of L3
 * caches, as in many virtual machines, all cores are one group.
 */
export function readTopology(
  root = '/sys/devices/system/cpu',
  allowed: readonly number[] = allowedCpus(),
): Topology {
  const groups = new Map<string, Map<string, number[]>>();
  for (const cpu of allowed) {
    const directory = join(root, `cpu${cpu}`);
    const cores = getOrAdd(groups, sharersOfL3(directory), () => new Map<string, number[]>());
    const siblings = read(join(directory, 'topology/thread_siblings_list')) ?? `${cpu}`;
    getOrAdd(cores, siblings, (): number[] => []).push(cpu);
  }
  return { allowed, groups: [...groups.values()].map((cores) => [...cores.values()]) };
}

/** The list of CPUs that share this one's L3 cache; empty if the kernel does not tell. */
function sharersOfL3(cpuDirectory: string): string {
  const cache = join(cpuDirectory, 'cache');
  const indexes = list(cache).filter((name) => name.startsWith('index'));
  const l3 = indexes.find((name) => read(join(cache, name, 'level')) === '3');
  return l3 === undefined ? '' : (read(join(cache, l3, 'shared_cpu_list')) ?? '');
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
