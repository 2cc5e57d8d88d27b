/**
 * Deletes a sector's directory that was renamed away, so that no late process finds it; resumes a killed deletion.
 */
import { join } from 'node:path';
import { removeTree } from './remove-tree.js';
import { readdir, rm } from '../mounts/remote-fs.js';
import { cacheDir, isGoneName, sealedLink, type GroupDirectory } from '../paths.js';
import type { SectorId } from '../sector.js';

/** P6's journal in the directory that it renames away: lets P6 resume, and becomes the sector's `done/`. */
export const JOURNAL = 'clean.json';

/** The directories that a claim's `renameAway` has left of the sector. */
export async function goneDirectories(group: GroupDirectory, sector: SectorId): Promise<string[]> {
  const cache = cacheDir(group);
  return (await readdir(cache)).filter((name) => isGoneName(sector, name)).map((name) => join(cache, name));
}

/**
 * Deletes the sector's renamed directories.
 * @param between called before each file; an error from it ends the deletion, which can be repeated
 * @param isOurs selects directories; default: all
 */
export async function deleteGone(
  group: GroupDirectory,
  sector: SectorId,
  between: () => void,
  isOurs: (gone: string) => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  await rm(sealedLink(group, sector), { force: true });
  for (const gone of await goneDirectories(group, sector))
    if (await isOurs(gone)) await removeTree(gone, between);
}
