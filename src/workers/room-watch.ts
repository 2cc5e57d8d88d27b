/**
 * Watches the room in the group's directory. Without room for one more sector, P1 accepts only sectors begun
 * before.
 */
import { join } from 'node:path';
import { listAttempts, readResult } from '../sector-directory/attempt.js';
import { listEpochs } from '../sector-directory/epochs.js';
import { MountHungError } from '../mounts/mounts.js';
import { readdir } from '../mounts/remote-fs.js';
import { cacheDir, type GroupDirectory } from '../paths.js';
import type { Log } from '../telemetry.js';
import type { Gauges } from './gauges.js';
import type { Scratch } from '../group/scratch.js';

export interface RoomWatchOptions {
  scratch: Scratch;
  /** The group directories that are currently usable on this host. */
  openGroups: () => Promise<GroupDirectory[]>;
  /** Sectors (`s-t01000-7`) whose P1 engine runs on this host. */
  atWork: () => ReadonlySet<string>;
  /** Undefined: the space used by sectors is only measured when the decision depends on it. */
  gauges: Gauges | undefined;
  log: Log;
  onChange: () => void;
}

export class RoomWatch {
  private current: { reason: string; since: Date } | undefined;
  private hasBegunSectors = false;
  private refreshesWanted = 0;
  private admitted: Promise<unknown> = Promise.resolve();
  /** Why the last refresh failed, if it did. */
  private lastError: string | undefined;

  constructor(private readonly options: RoomWatchOptions) {}

  /** Why new sectors are not accepted, and since when; undefined when they are. */
  get noRoom(): { reason: string; since: Date } | undefined {
    return this.current;
  }

  /** Whether P1's queue may be polled. */
  isOpen = (): boolean => !this.current || this.hasBegunSectors;

  /**
   * Measures the room for one sector now.
   * @param sector name of its directory
   * @returns why there is no room; undefined when there is
   */
  async shortage(group: GroupDirectory, sector: string): Promise<string | undefined> {
    const shortage = await this.options.scratch.shortage(group, sector);
    if (shortage) this.setShortage(shortage);
    return shortage;
  }

  /** Serializes admissions, so that the tasks of one worker do not block each other. */
  oneAtATime<T>(admit: () => Promise<T>): Promise<T> {
    const admission = this.admitted.then(admit);
    this.admitted = admission.catch(() => undefined);
    return admission;
  }

  /** Measures free space and looks for waiting sectors. Never throws: an error is logged once. */
  async refresh(): Promise<void> {
    try {
      await this.refreshUntilCurrent();
      this.lastError = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.lastError) this.options.log.warn(`room of local_dir: ${message}`);
      this.lastError = message;
    }
  }

  /** Refreshes; if called during a refresh, the running one repeats once it is done. */
  private async refreshUntilCurrent(): Promise<void> {
    this.refreshesWanted += 1;
    if (this.refreshesWanted > 1) return;
    try {
      for (let answered = 0; answered !== this.refreshesWanted;) {
        answered = this.refreshesWanted;
        await this.refreshOnce();
      }
    } finally {
      this.refreshesWanted = 0;
    }
  }

  private async refreshOnce(): Promise<void> {
    const { openGroups, scratch, gauges, onChange } = this.options;
    const groups = await openGroups();
    // No usable directory: its room is unknown, and readiness reports the cause.
    if (groups.length === 0) return;
    const shortages = await Promise.all(groups.map((group) => scratch.shortage(group)));
    this.setShortage(shortages.find(Boolean));
    if (gauges) await this.measure(gauges, groups);
    const waits = this.current ? await Promise.all(groups.map((group) => this.hasBegunWaiting(group))) : [];
    this.hasBegunSectors = waits.includes(true);
    onChange();
  }

  private async measure(gauges: Gauges, groups: readonly GroupDirectory[]): Promise<void> {
    for (const group of groups) {
      const { free, reserved } = await this.options.scratch.measure(group);
      gauges.scratch(free, reserved);
    }
  }

  private setShortage(shortage: string | undefined): void {
    const { gauges, onChange } = this.options;
    const { current } = this;
    this.current = shortage ? { reason: shortage, since: current?.since ?? new Date() } : undefined;
    gauges?.room(!shortage);
    if (!current !== !this.current) onChange();
  }

  /** Whether a begun sector has no P1 result and no P1 engine on this host. */
  private async hasBegunWaiting(group: GroupDirectory): Promise<boolean> {
    const atWork = this.options.atWork();
    for (const name of await readdir(cacheDir(group))) {
      if (!name.startsWith('s-') || atWork.has(name)) continue;
      if (await needsP1(join(cacheDir(group), name))) return true;
    }
    return false;
  }
}

/** If the sector's directory cannot be read, assume that it does: poll anyway. */
async function needsP1(sectorDirectory: string): Promise<boolean> {
  try {
    if ((await listEpochs(sectorDirectory)).length === 0) return false;
    for (const attempt of (await listAttempts(sectorDirectory, 'P1')).all) {
      if (await readResult(attempt)) return false;
    }
  } catch (error) {
    if (error instanceof MountHungError) throw error;
  }
  return true;
}
