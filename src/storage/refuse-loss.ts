/** The last check before P6 deletes a sector's scratch: the published files must not be part of it. */
import { join } from 'node:path';
import { z } from 'zod';
import { SealError } from '../seal-error.js';
import { exists, ifPresent, readJson } from '../files.js';
import { identity, lstat, readdir, realpath } from '../mounts/remote-fs.js';
import { nodeName, sectorDir, stored, type GroupDirectory } from '../paths.js';
import type { SectorId } from '../sector.js';
import { OwnDirectoryError, refuseOwnDirectory, ancestors } from './own-directory.js';
import { receiptSchema } from './receipt.js';

const filesSchema = z.object({ files: receiptSchema.shape.files });

/**
 * To be called right before the sector's directory is renamed away.
 * @param nodes of this host
 * @param journal that P6 has written into the sector's directory: where it has published the sector
 * @throws OwnDirectoryError when a published file is the scratch's own, under any name; failure `CopyDiffers`
 *   when one is missing, `MountMissing` when the node is; MountHungError
 */
export async function refuseLoss(
  nodes: readonly string[],
  group: GroupDirectory,
  sector: SectorId,
  journal: { storage: { node: string; receipt: string } } | undefined,
): Promise<void> {
  const directory = sectorDir(group, sector);
  if (!journal)
    throw new SealError('PassingFault', `${directory} has lost its journal, which names where it was stored`);
  const { node: name, receipt } = journal.storage;
  const node = nodes.find((known) => nodeName(known) === name);
  if (node === undefined) throw new SealError('MountMissing', `storage node ${name} is not in storage-nodes`);
  await refuseOwnDirectory(node, group);
  await refuseScratchWithin(node, directory, sector);
  const scratch = await identitiesBelow(directory);
  for (const file of await publishedFiles(join(node, receipt))) {
    const path = join(node, file);
    const found = await ifPresent(identity(path));
    if (found === undefined) throw new SealError('CopyDiffers', `${path} is not there`);
    if (scratch.has(found)) throw ownScratch(path, scratch.get(found) ?? directory);
  }
}

/**
 * Detects the scratch by inode, and by a file that only a sector's directory contains: through a mount of this
 * host's own export it has another device number.
 */
async function refuseScratchWithin(node: string, directory: string, sector: SectorId): Promise<void> {
  const own = await identity(directory);
  const cache = join(node, stored.cache(sector));
  if (await exists(join(cache, 'sector.json'))) throw ownScratch(cache, directory);
  for (const final of [cache, join(node, stored.sealed(sector))])
    for (const path of ancestors((await ifPresent(realpath(final))) ?? node))
      if ((await identity(path)) === own) throw ownScratch(final, directory);
}

async function publishedFiles(receipt: string): Promise<string[]> {
  const { data } = filesSchema.safeParse(await readJson(receipt));
  if (!data) throw new SealError('CopyDiffers', `${receipt} is not the receipt that was written`);
  return data.files.map(({ name }) => name);
}

/** Maps device and inode of all files below a directory to their paths. */
async function identitiesBelow(
  directory: string,
  found = new Map<string, string>(),
): Promise<Map<string, string>> {
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    const path = join(directory, name);
    const stats = await ifPresent(lstat(path));
    if (stats?.isDirectory()) await identitiesBelow(path, found);
    // Symbolic links are skipped: their targets are not deleted.
    else if (stats?.isFile()) found.set(await identity(path), path);
  }
  return found;
}

const ownScratch = (path: string, scratch: string): OwnDirectoryError =>
  new OwnDirectoryError(
    `${path} on the storage node is ${scratch}, the scratch itself: nothing is deleted; storage-nodes must not lead into local_dir`,
  );
