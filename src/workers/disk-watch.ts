/** Measures how busy the disks of local_dir are, once for all P1 of this worker. */
import type { DiskBusy } from '../heartbeat.js';
import { busiest, loadBetween, sampleDisks, type DiskSample } from '../machine/disk-load.js';
import { physicalDisks } from '../mounts/disks.js';
import { mountOf, readMountTable } from '../mounts/mount-table.js';
import { realpath } from '../mounts/remote-fs.js';

/** Sampling interval in ms: long enough for a meaningful average, short enough to be current. */
export const DISK_SAMPLE_MS = 10_000;

export interface DiskSources {
  /** Names of the disks, as in /proc/diskstats. */
  disks: () => Promise<string[]>;
  sample: () => Promise<DiskSample>;
}

export class DiskWatch {
  private before: DiskSample | undefined;

  /** The busiest disk between the last two samples; undefined if there is no disk or it cannot be measured. */
  latest: DiskBusy | undefined;

  constructor(private readonly sources: DiskSources) {}

  /** Takes one sample; call it periodically. Never throws: readiness checks report an unusable mount. */
  async sample(): Promise<void> {
    const { before } = this;
    try {
      const [disks, now] = await Promise.all([this.sources.disks(), this.sources.sample()]);
      this.before = now;
      this.latest = before && busiest(loadBetween(before, now, disks));
    } catch {
      this.latest = undefined;
    }
  }
}

/** The disks that currently hold a directory. */
export const disksOf = (directory: string): DiskSources => ({
  disks: async () => {
    const mount = mountOf(await realpath(directory), await readMountTable());
    return mount ? await physicalDisks(mount) : [];
  },
  sample: sampleDisks,
});
