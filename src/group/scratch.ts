/** Room for sectors in a group's directory: reckoned from what lies there, so a restart forgets nothing. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, usedBytes } from '../files.js';
import { MountHungError } from '../mounts/mounts.js';
import { readdir, statfs } from '../mounts/remote-fs.js';
import { cacheDir, type GroupDirectory } from '../paths.js';
import { scratchBytes, SECTOR_SIZE_NAMES, type SectorSize } from '../phases.js';
import { gigabytes } from '../units.js';

export interface Room {
  /** Bytes that the file system has free. */
  free: number;
  /** Bytes of them that the sectors that lie there will still need. */
  reserved: number;
  /** How many sectors lie there. */
  sectors: number;
}

const sectorFile = z.object({ size: z.enum(SECTOR_SIZE_NAMES) });

export class Scratch {
  /** By the name of the sector's directory: looked up once, so that a look at 500 sectors reads no 500 files. */
  private readonly sizes = new Map<string, SectorSize>();
  /** Being looked up: of many tasks that begin at once each sees what all the others have just made. */
  private readonly asked = new Map<string, Promise<SectorSize>>();

  /** @param own size of this host's sectors: what a directory counts as that does not say (it has just been made) */
  constructor(private readonly own: SectorSize) {}

  /**
   * Why the group's directory does not hold one more sector of this host's size; undefined when it does. The sector's own
   * directory (`except`) is not counted, so that the same is asked before it is made and after.
   */
  async shortage(group: GroupDirectory, except?: string): Promise<string | undefined> {
    const needed = scratchBytes(this.own);
    const names = (await this.sectorsIn(group)).filter((name) => name !== except);
    const free = await freeBytes(group);
    // Where all of them could begin anew there is room, whatever they use by now: nothing needs to be counted.
    if (free - (await this.sumOf(group, names)) >= needed) return undefined;
    const room = await this.measureSectors(group, names);
    if (room.free - room.reserved >= needed) return undefined;
    return `${group.root} has no room for one more ${this.own} sector: ${gigabytes(needed)} needed, ${gigabytes(room.free)} free, of which ${room.sectors} sectors will need ${gigabytes(room.reserved)}`;
  }

  /** What is free, and how much of it the sectors that lie there have still to use: max(0, scratch − used) each. */
  async measure(group: GroupDirectory): Promise<Room> {
    return this.measureSectors(group, await this.sectorsIn(group));
  }

  private async measureSectors(group: GroupDirectory, names: readonly string[]): Promise<Room> {
    const reserved = await this.sumOf(group, names, (name) => usedOrZero(join(cacheDir(group), name)));
    // Free space last: what is written meanwhile then counts twice, and never as room.
    return { free: await freeBytes(group), reserved, sectors: names.length };
  }

  private async sectorsIn(group: GroupDirectory): Promise<string[]> {
    const names = (await readdir(cacheDir(group))).filter((name) => name.startsWith('s-'));
    const present = new Set(names);
    for (const name of this.sizes.keys()) if (!present.has(name)) this.sizes.delete(name);
    return names;
  }

  private async sumOf(
    group: GroupDirectory,
    names: readonly string[],
    used?: (name: string) => Promise<number>,
  ): Promise<number> {
    let sum = 0;
    for (const name of names) {
      // Known ones without a wait each: 500 tasks look at 500 sectors.
      const size = this.sizes.get(name) ?? (await this.askOnce(group, name));
      sum += Math.max(0, scratchBytes(size) - (used ? await used(name) : 0));
    }
    return sum;
  }

  private askOnce(group: GroupDirectory, name: string): Promise<SectorSize> {
    const asked = this.asked.get(name) ?? this.ask(group, name).finally(() => this.asked.delete(name));
    this.asked.set(name, asked);
    return asked;
  }

  private async ask(group: GroupDirectory, name: string): Promise<SectorSize> {
    const value = await readJson(join(cacheDir(group), name, 'sector.json')).catch((error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    const size = sectorFile.safeParse(value).data?.size;
    if (size) this.sizes.set(name, size);
    return size ?? this.own;
  }
}

/** What cannot be counted counts as unused: its whole reservation stands, and the other sectors are not kept waiting. */
const usedOrZero = (directory: string): Promise<number> =>
  usedBytes(directory).catch((error: unknown) => {
    if (error instanceof MountHungError) throw error;
    return 0;
  });

async function freeBytes({ root }: GroupDirectory): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}
