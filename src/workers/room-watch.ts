/** Whether the group's directory holds one more sector: while it does not, P1 is polled only for sectors that were begun. */
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
  /** The groups' directories that this host sees at the moment. */
  openGroups: () => Promise<GroupDirectory[]>;
  /** Sectors (`s-t01000-7`) whose P1 is at work on this host. */
  atWork: () => ReadonlySet<string>;
  /** Without them what sectors use is only counted when it decides. */
  gauges: Gauges | undefined;
  log: Log;
  onChange: () => void;
}

export class RoomWatch {
  private shortageNow: string | undefined;
  private hasBegunSectors = false;
  /** One task is taken after each look, so that its sector's status shows why it waits. */
  private admitsOne = false;
  private refreshesWanted = 0;
  private admitted: Promise<unknown> = Promise.resolve();
  /** What kept the last look from being made, if anything did. */
  private lastError: string | undefined;

  constructor(private readonly options: RoomWatchOptions) {}

  /** Why no new sector is taken; undefined when one is. */
  get reason(): string | undefined {
    return this.shortageNow;
  }

  /** Whether P1's queue may be polled. */
  isOpen = (): boolean => !this.shortageNow || this.hasBegunSectors || this.admitsOne;

  /** To be called when a task of P1 is polled for. */
  onPoll = (): void => {
    this.admitsOne = false;
  };

  /** Why there is no room for the sector of that directory's name, looked at now; undefined when there is. */
  async shortage(group: GroupDirectory, sector: string): Promise<string | undefined> {
    const why = await this.options.scratch.shortage(group, sector);
    if (why) this.setReason(why);
    return why;
  }

  /** Takes one task more, so that its sector is told. */
  admitOneMore(): void {
    this.admitsOne = true;
  }

  /** Runs one admission after the other, so that the tasks of one worker do not stand in each other's way. */
  oneAtATime<T>(admit: () => Promise<T>): Promise<T> {
    const mine = this.admitted.then(admit);
    this.admitted = mine.catch(() => undefined);
    return mine;
  }

  /** Looks at what is free, and at what waits. Never throws: what keeps it from looking is logged once. */
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

  /** Looks; asked for while it looks, it looks once more. */
  private async refreshUntilCurrent(): Promise<void> {
    this.refreshesWanted += 1;
    if (this.refreshesWanted > 1) return;
    try {
      for (let seen = 0; seen !== this.refreshesWanted;) {
        seen = this.refreshesWanted;
        await this.refreshOnce();
      }
    } finally {
      this.refreshesWanted = 0;
    }
  }

  private async refreshOnce(): Promise<void> {
    const { openGroups, scratch, gauges, onChange } = this.options;
    const groups = await openGroups();
    // A directory that cannot be seen says nothing of its room; what keeps it from being seen is told by readiness.
    if (groups.length === 0) return;
    const reasons = await Promise.all(groups.map((group) => scratch.shortage(group)));
    this.setReason(reasons.find(Boolean));
    if (gauges) await this.measure(gauges, groups);
    const waits = this.shortageNow
      ? await Promise.all(groups.map((group) => this.hasBegunWaiting(group)))
      : [];
    this.hasBegunSectors = waits.includes(true);
    this.admitsOne = true;
    onChange();
  }

  private async measure(gauges: Gauges, groups: readonly GroupDirectory[]): Promise<void> {
    for (const group of groups) {
      const { free, reserved } = await this.options.scratch.measure(group);
      gauges.scratch(free, reserved);
    }
  }

  private setReason(why: string | undefined): void {
    const { gauges, log } = this.options;
    if (why && !this.shortageNow) log.warn(`P1 takes no new sector: ${why}`);
    if (!why && this.shortageNow) log.info('P1 takes new sectors again: there is room');
    this.shortageNow = why;
    gauges?.room(!why);
  }

  /** Whether a sector was begun whose P1 has no result, and is not at work here. */
  private async hasBegunWaiting(group: GroupDirectory): Promise<boolean> {
    const atWork = this.options.atWork();
    for (const name of await readdir(cacheDir(group))) {
      if (!name.startsWith('s-') || atWork.has(name)) continue;
      if (await needsP1(join(cacheDir(group), name))) return true;
    }
    return false;
  }
}

/** What cannot be read may: its queue is polled rather than not. */
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
