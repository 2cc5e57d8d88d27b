/** Room for sectors in a group's directory, computed from its contents, so it survives a restart. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, usedBytes } from '../files.js';
import { MountHungError } from '../mounts/mounts.js';
import { readdir, statfs } from '../mounts/remote-fs.js';
import { cacheDir, type GroupDirectory } from '../paths.js';
import { scratchBytes, SECTOR_SIZE_NAMES, type SectorSize } from '../phases.js';
import { gigabytes } from '../units.js';

export interface Room {
  /** Free bytes of the file system. */
  free: number;
  /** Bytes that the sectors in the directory still need. */
  reserved: number;
  /** Number of sectors in the directory. */
  sectors: number;
}

const sectorFile = z.object({ size: z.enum(SECTOR_SIZE_NAMES) });

export class Scratch {
  /** By name of the sector's directory. Cached: measuring 500 sectors must not read 500 files each time. */
  private readonly sizes = new Map<string, SectorSize>();
  /** Reads in progress, shared by tasks that start at the same time and find each other's new directories. */
  private readonly reading = new Map<string, Promise<SectorSize>>();

  /** @param hostSize sector size of this host; assumed for a new directory that has no sector.json yet */
  constructor(private readonly hostSize: SectorSize) {}

  /**
   * Checks whether the group's directory has room for one more sector of this host's size.
   * @param except directory name of the sector itself: not counted, so that the result is the same before and
   * after it is created
   * @returns why there is no room; undefined when there is
   */
  async shortage(group: GroupDirectory, except?: string): Promise<string | undefined> {
    const needed = scratchBytes(this.hostSize);
    const names = (await this.sectorsIn(group)).filter((name) => name !== except);
    const free = await freeBytes(group);
    // If there is room even with every sector starting from zero, skip measuring what they use.
    if (free - (await this.reservedBytes(group, names)) >= needed) return undefined;
    const room = await this.measureSectors(group, names);
    if (room.free - room.reserved >= needed) return undefined;
    return (
      `${group.root} has no room for one more ${this.hostSize} sector: ${gigabytes(needed)} needed, ` +
      `${gigabytes(room.free)} free, of which ${gigabytes(room.reserved)} are reserved for ${room.sectors} sectors`
    );
  }

  /** Measures free and reserved space; each sector reserves max(0, scratch − used). */
  async measure(group: GroupDirectory): Promise<Room> {
    return this.measureSectors(group, await this.sectorsIn(group));
  }

  private async measureSectors(group: GroupDirectory, names: readonly string[]): Promise<Room> {
    const reserved = await this.reservedBytes(group, names, (name) =>
      usedOrZero(join(cacheDir(group), name)),
    );
    // Free space last: bytes written in the meantime then count twice, and never as room.
    return { free: await freeBytes(group), reserved, sectors: names.length };
  }

  private async sectorsIn(group: GroupDirectory): Promise<string[]> {
    const names = (await readdir(cacheDir(group))).filter((name) => name.startsWith('s-'));
    const present = new Set(names);
    for (const name of this.sizes.keys()) if (!present.has(name)) this.sizes.delete(name);
    return names;
  }

  private async reservedBytes(
    group: GroupDirectory,
    names: readonly string[],
    used?: (name: string) => Promise<number>,
  ): Promise<number> {
    let sum = 0;
    for (const name of names) {
      // No await for cached sizes: 500 tasks may each measure 500 sectors.
      const size = this.sizes.get(name) ?? (await this.readSizeOnce(group, name));
      sum += Math.max(0, scratchBytes(size) - (used ? await used(name) : 0));
    }
    return sum;
  }

  private readSizeOnce(group: GroupDirectory, name: string): Promise<SectorSize> {
    const size =
      this.reading.get(name) ?? this.readSize(group, name).finally(() => this.reading.delete(name));
    this.reading.set(name, size);
    return size;
  }

  private async readSize(group: GroupDirectory, name: string): Promise<SectorSize> {
    const value = await readJson(join(cacheDir(group), name, 'sector.json')).catch((error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    const size = sectorFile.safeParse(value).data?.size;
    if (size) this.sizes.set(name, size);
    return size ?? this.hostSize;
  }
}

/** If usage cannot be measured, assume 0: the sector keeps its full reservation and does not block the others. */
const usedOrZero = (directory: string): Promise<number> =>
  usedBytes(directory).catch((error: unknown) => {
    if (error instanceof MountHungError) throw error;
    return 0;
  });

async function freeBytes({ root }: GroupDirectory): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}
