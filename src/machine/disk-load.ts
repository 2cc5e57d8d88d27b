/**
 * Measures how busy disks are, as `iostat -x` does (%util, w_await): from the difference of two samples of
 * /proc/diskstats. Field numbers are those of the kernel's Documentation/admin-guide/iostats.rst, counted after
 * the name.
 */
import { readFile } from 'node:fs/promises';

/** Counters of one disk since boot. They wrap, but hardly ever between two samples. */
export interface DiskCounters {
  /** Field 5: writes completed. */
  writes: number;
  /** Field 8: ms spent on all writes, including their time in the queue. */
  writeMs: number;
  /** Field 10: ms during which at least one request was in flight; approximate since Linux 5.0. */
  busyMs: number;
}

/** The counters of all disks at one time. */
export interface DiskSample {
  /** By name of the disk: `sda`, `nvme0n1`. */
  disks: ReadonlyMap<string, DiskCounters>;
  /** In ms, of this process' clock. */
  at: number;
}

export interface DiskLoad {
  disk: string;
  /**
   * 0…1: share of time with at least one request. A disk that serves many requests in parallel is not saturated
   * at 1.
   */
  busy: number;
  /** Mean time in ms from request to completion of a write; 0 if there was none. */
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

/** The load of these disks between two samples; a disk that is not in both is omitted. */
export function loadBetween(before: DiskSample, after: DiskSample, names: readonly string[]): DiskLoad[] {
  const ms = after.at - before.at;
  return names.flatMap((disk) => {
    const [from, to] = [before.disks.get(disk), after.disks.get(disk)];
    if (!from || !to || ms <= 0) return [];
    const writes = to.writes - from.writes;
    return {
      disk,
      busy: Math.min(1, Math.max(0, (to.busyMs - from.busyMs) / ms)),
      writeWaitMs: writes > 0 ? Math.max(0, (to.writeMs - from.writeMs) / writes) : 0,
    };
  });
}

/** The busiest disk, which is the bottleneck; undefined if `loads` is empty. */
export const busiest = (loads: readonly DiskLoad[]): DiskLoad | undefined =>
  loads.toSorted((a, b) => b.busy - a.busy || b.writeWaitMs - a.writeWaitMs)[0];

/** `sda busy 97 %, write wait 214 ms` */
export const describeLoad = ({ disk, busy, writeWaitMs }: DiskLoad): string =>
  `${disk} busy ${(busy * 100).toFixed(0)} %, write wait ${writeWaitMs.toFixed(0)} ms`;
