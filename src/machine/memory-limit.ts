/** What memory this process, and those that it starts, may take: of the host, and of each cgroup that it is in. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';

export interface MemorySources {
  /** The text of a file of /proc or /sys; nothing where it is not there. */
  read?: (path: string) => Promise<string>;
  /** What Node was told, in bytes: 0, or more than there is, where nothing is limited. */
  constrained?: () => number;
}

/** How a hierarchy of cgroups tells of memory. */
interface Hierarchy {
  mount: string;
  /** Whether a line of /proc/self/cgroup with these controllers is of this hierarchy. */
  owns: (controllers: string[]) => boolean;
  limit: string;
  used: string;
  /** Page cache counts as used, and is given back when it is wanted: its line of `memory.stat`. */
  cache: RegExp;
}

const HIERARCHIES: readonly Hierarchy[] = [
  {
    mount: '/sys/fs/cgroup',
    owns: (controllers) => controllers.join() === '',
    limit: 'memory.max',
    used: 'memory.current',
    cache: /^file ([0-9]+)$/m,
  },
  {
    mount: '/sys/fs/cgroup/memory',
    owns: (controllers) => controllers.includes('memory'),
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: /^total_inactive_file ([0-9]+)$/m,
  },
];

/** Bytes of memory that there can be at most for this process: of the host, or of its tightest cgroup. */
export async function memoryLimit(sources: MemorySources = {}): Promise<number> {
  const { read, constrained } = withDefaults(sources);
  const limits = (await lookAtCgroups(read)).map(({ limit }) => limit);
  return Math.min(await ofHost(read, 'MemTotal'), constrained(), ...limits);
}

/** Bytes that processes can still take without swapping and without the OOM killer of the host or of a cgroup. */
export async function availableMemory(sources: MemorySources = {}): Promise<number> {
  const { read, constrained } = withDefaults(sources);
  const left = (await lookAtCgroups(read)).map(({ limit, used, cache }) => Math.max(0, limit - used + cache));
  return Math.min(await ofHost(read, 'MemAvailable'), constrained(), ...left);
}

function withDefaults({ read = readIfPresent, constrained }: MemorySources): Required<MemorySources> {
  const told = constrained ?? (() => process.constrainedMemory());
  return { read, constrained: () => told() || Infinity };
}

/** Every cgroup with a limit from this process' own one up to the root: a unit's slice, and a pod, bind what is below them. */
async function lookAtCgroups(
  read: Required<MemorySources>['read'],
): Promise<{ limit: number; used: number; cache: number }[]> {
  const own = (await read('/proc/self/cgroup')).split('\n');
  const all = HIERARCHIES.flatMap((hierarchy) =>
    [...levelsOf(hierarchy, own)].map(async (directory) => {
      const limit = Number.parseInt(await read(`${directory}/${hierarchy.limit}`), 10);
      // No number is no limit (`max`), or no such cgroup here: of a container without a namespace of its own, the path is the host's.
      if (Number.isNaN(limit)) return undefined;
      const used = Number.parseInt(await read(`${directory}/${hierarchy.used}`), 10) || 0;
      const cache = Number(hierarchy.cache.exec(await read(`${directory}/memory.stat`))?.[1] ?? 0);
      return { limit, used, cache };
    }),
  );
  return (await Promise.all(all)).filter((level) => level !== undefined);
}

/** The directories of a hierarchy from the own cgroup (`id:controllers:path`, cgroups(7)) to the root, which is always looked at. */
function levelsOf({ mount, owns }: Hierarchy, lines: readonly string[]): Set<string> {
  const levels = new Set([mount]);
  for (const line of lines) {
    const [, controllers, path] = /^[0-9]+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined || !owns(controllers.split(','))) continue;
    // A path outside the own namespace begins with `/..`: what is above its root cannot be seen.
    for (let at = posix.normalize(path); at !== '/'; at = posix.dirname(at)) levels.add(mount + at);
  }
  return levels;
}

/** Infinity where the kernel does not tell. */
async function ofHost(
  read: Required<MemorySources>['read'],
  line: 'MemTotal' | 'MemAvailable',
): Promise<number> {
  const kilobytes = new RegExp(`^${line}:\\s+([0-9]+) kB$`, 'm').exec(await read('/proc/meminfo'))?.[1];
  return kilobytes === undefined ? Infinity : Number(kilobytes) * 1024;
}

const readIfPresent = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
