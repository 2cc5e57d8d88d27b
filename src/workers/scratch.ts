/** Room for sectors in a group's directory: reckoned from what lies there, so a restart forgets nothing. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, usedBytes } from '../files.js';
import { readdir, statfs } from '../mounts/remote-fs.js';
import { cacheDir, type GroupDirectory } from '../paths.js';
import { scratchBytes, SECTOR_SIZE_NAMES, type SectorSize } from '../phases.js';

export interface Room {
  /** Bytes that the file system has free. */
  free: number;
  /** Bytes of them that running sectors will still need. */
  reserved: number;
}

const sectorFile = z.object({ size: z.enum(SECTOR_SIZE_NAMES) });

/** What is free, and how much of it the sectors that lie there have still to use: max(0, scratch − used) each. */
export async function lookForRoom(group: GroupDirectory): Promise<Room> {
  const { bavail, bsize } = await statfs(group.root);
  const base = cacheDir(group);
  let reserved = 0;
  for (const name of await readdir(base)) {
    if (!name.startsWith('s-')) continue;
    const sector = sectorFile.safeParse(
      await readJson(join(base, name, 'sector.json')).catch((error: unknown) => {
        if (!(error instanceof SyntaxError)) throw error;
      }),
    );
    if (!sector.success) continue;
    reserved += Math.max(0, scratchBytes(sector.data.size) - (await usedBytes(join(base, name))));
  }
  return { free: bavail * bsize, reserved };
}

export const holdsOneMore = ({ free, reserved }: Room, size: SectorSize): boolean =>
  free - reserved >= scratchBytes(size);
