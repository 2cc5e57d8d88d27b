/**
 * How busy disks are, as `iostat -x` reckons it (%util, w_await): from the difference of two looks at /proc/diskstats. The
 * fields are those of the kernel's Documentation/admin-guide/iostats.rst, which numbers them from behind the name.
 */
import { readFile } from 'node:fs/promises';

/** Counters of one disk since boot; they wrap, but not within a look. */
export interface DiskCounters {
  /** Field 5: writes completed. */
  writes: number;
  /** Field 8: ms spent on all writes, each with the time in which it waited. */
  writeMs: number;
  /** Field 10: ms in which at least one request was under way; approximate since Linux 5.0. */
  busyMs: number;
}

/** One look: what the counters were, and when. */
export interface DiskSample {
  /** By the disk's name: `sda`, `nvme0n1`. */
  disks: ReadonlyMap<string, DiskCounters>;
  /** In ms, of this process' clock. */
  at: number;
}

export interface DiskLoad {
  disk: string;
  /** 0…1: share of the time in which the disk had something to do. A disk that works on many requests at once can do more at 1. */
  busy: number;
  /** Milliseconds from request to completion of a write, the mean; 0 when there was none. */
  writeWaitMs: number;
}

export function parseDiskStats(text: string): Map<string, DiskCounters> {
  const disks = new Map<string, DiskCounters>();
  for (const line of text.split('\n')) {
    const [, , name, ...fields] = line.trim().split(/\s+/);
    if (name === undefined) continue;
    const field = (number: number): number => Number(fields[number - 1] ?? 0);
    disks.set(name, { writes: field(5), writeMs: field(8), busyMs: field(10) });
  }
  return disks;
}

export const sampleDisks = async (): Promise<DiskSample> => ({
  disks: parseDiskStats(await readFile('/proc/diskstats', 'utf8')),
  at: performance.now(),
});

/** Of these disks between two looks; one that is not in both is left out. */
export function loadBetween(before: DiskSample, after: DiskSample, names: readonly string[]): DiskLoad[] {
  const ms = after.at - before.at;
  return names.flatMap((disk) => {
    const [from, to] = [before.disks.get(disk), after.disks.get(disk)];
    if (!from || !to || ms <= 0) return [];
    const writes = to.writes - from.writes;
    return {
      disk,
      busy: Math.min(1, Math.max(0, (to.busyMs - from.busyMs) / ms)),
      writeWaitMs: writes > 0 ? (to.writeMs - from.writeMs) / writes : 0,
    };
  });
}

/** The one that the others wait for; undefined of none. */
export const busiest = (loads: readonly DiskLoad[]): DiskLoad | undefined =>
  loads.toSorted((a, b) => b.busy - a.busy || b.writeWaitMs - a.writeWaitMs)[0];

/** `sda busy 97 %, write wait 214 ms` */
export const describeLoad = ({ disk, busy, writeWaitMs }: DiskLoad): string =>
  `${disk} busy ${(busy * 100).toFixed(0)} %, write wait ${writeWaitMs.toFixed(0)} ms`;
