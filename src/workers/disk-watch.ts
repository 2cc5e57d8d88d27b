/** How busy the disks of local_dir are: looked at by one watch for all P1 of this worker. */
import type { DiskBusy } from '../heartbeat.js';
import { busiest, loadBetween, sampleDisks, type DiskSample } from '../machine/disk-load.js';
import { physicalDisks } from '../mounts/disks.js';
import { mountOf, readMountTable } from '../mounts/mount-table.js';
import { realpath } from '../mounts/remote-fs.js';

/** In ms: long enough for a mean, short enough to be of now. */
export const DISK_SAMPLE_MS = 10_000;

export interface DiskSources {
  /** Names of the disks, as in /proc/diskstats. */
  disks: () => Promise<string[]>;
  sample: () => Promise<DiskSample>;
}

export class DiskWatch {
  private before: DiskSample | undefined;

  /** The busiest disk between the last two looks; undefined where there is none, or it cannot be seen. */
  latest: DiskBusy | undefined;

  constructor(private readonly sources: DiskSources) {}

  /** To be called again and again. Never throws: what keeps it from seeing is told by others. */
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

/** The disks that a directory lies on at the moment. */
export const disksOf = (directory: string): DiskSources => ({
  disks: async () => {
    const mount = mountOf(await realpath(directory), await readMountTable());
    return mount ? await physicalDisks(mount) : [];
  },
  sample: sampleDisks,
});
