/** Deleting a sector's directory: renamed away first, so that no late process finds it, and finished whenever that ended. */
import { join } from 'node:path';
import { removeTree } from './remove-tree.js';
import { readdir, rm } from '../mounts/remote-fs.js';
import { cacheDir, isGoneName, sealedLink, type GroupDirectory } from '../paths.js';
import type { SectorId } from '../sector.js';

/** P6's note in the directory that it renames away: how to go on, and then the sector's `done/`. */
export const JOURNAL = 'clean.json';

/** What a claim's `renameAway` has made of the sector so far. */
export async function goneDirectories(group: GroupDirectory, sector: SectorId): Promise<string[]> {
  const cache = cacheDir(group);
  return (await readdir(cache)).filter((name) => isGoneName(sector, name)).map((name) => join(cache, name));
}

/**
 * @param between called before each file; what it throws ends the deletion, which can be done again.
 * @param isOurs which of them; all if not given
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
