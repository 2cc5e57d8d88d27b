/** Deleting a sector's directory: renamed away first, so that no late process finds it, and finished whenever that ended. */
import { join } from 'node:path';
import { removeTree } from '../attempts/remove-tree.js';
import { readdir, rm } from '../mounts/remote-fs.js';
import { cacheDir, isGoneName, sealedLink, type GroupDirectory } from '../paths.js';
import type { SectorId } from '../sector.js';

/** What a claim's `renameAway` has made of the sector so far. */
export async function goneDirectories(group: GroupDirectory, sector: SectorId): Promise<string[]> {
  const cache = cacheDir(group);
  return (await readdir(cache)).filter((name) => isGoneName(sector, name)).map((name) => join(cache, name));
}

/** @param between called before each file; what it throws ends the deletion, which can be done again. */
export async function deleteGone(
  group: GroupDirectory,
  sector: SectorId,
  between: () => void,
): Promise<void> {
  await rm(sealedLink(group, sector), { force: true });
  for (const gone of await goneDirectories(group, sector)) await removeTree(gone, between);
}
