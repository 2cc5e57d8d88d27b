/** Gives a finished copy its final names on the storage node. Never overwrites anything. */
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalJson, ENGINE_PROTOCOL, type FileDigest } from '../engines/protocol.js';
import { refuseNewer } from '../contract.js';
import { SealError } from '../seal-error.js';
import { exists, ifPresent, isErrno, readJson, syncDirectory, writeJson } from '../files.js';
import { identity, link, lstat, readdir, readFile, unlink } from '../mounts/remote-fs.js';
import { plainName, stored } from '../paths.js';
import type { SectorId } from '../sector.js';
import { makeDirectory, refuseOther } from './make-directory.js';
import { sameAtRandom } from './random-read.js';
import { finalName, type Receipt } from './receipt.js';
import { isOf, listStaging, type Owner } from './reservations.js';

/**
 * Files up to this size (p_aux and t_aux) are hashed in full, before and after linking. The large ones, which P5
 * has read back, are compared with P2's at random offsets.
 */
const SMALL = 65_536;

/** A copy to publish. */
export interface Copy {
  /** The attempt of P2 whose files were copied. */
  source: string;
  /** Directory of the storage node. */
  node: string;
  /** Directory of the copy, relative to the node. */
  staging: string;
  sector: SectorId;
  files: FileDigest[];
}

/**
 * Links the files of `staging` to their final names and writes the receipt. After a crash it can be repeated: it
 * finds its own links and continues.
 * @param beforeFirst called before the first name is linked; an error from it stops the publication
 * @throws failure `CopyDiffers` when a final name is another file, or the scratch's own, which P6 deletes;
 *   `StepBack` to P5, before any name is linked, when the copy is not complete
 */
export async function publishCopy(
  copy: Copy,
  receipt: Receipt,
  beforeFirst: () => Promise<void>,
): Promise<void> {
  const { source, node, staging, sector, files } = copy;
  const receiptPath = join(node, stored.receipt(sector));
  const known = (await readJson(receiptPath)) as Receipt | undefined;
  refuseNewer(receiptPath, known, ENGINE_PROTOCOL);
  if (known !== undefined && claimOf(known) !== claimOf(receipt)) {
    throw new SealError('CopyDiffers', `${receiptPath} exists and differs`);
  }
  for (const file of files) await refuseScratch(copy, file);
  // Once the receipt exists all files have final names, except those an operator has moved away since as damaged.
  const unlinked = known === undefined ? files : await withoutFinalName(copy);
  if (unlinked.length > 0) {
    await ifPresent(refuseOther(join(node, staging)));
    for (const file of unlinked) await checkComplete(join(node, staging, plainName(file.name)), file, source);
    await beforeFirst();
    for (const directory of ['sealed', 'cache', 'receipts', stored.cache(sector)])
      await makeDirectory(join(node, directory));
    for (const file of unlinked) await linkFinalName(copy, file);
    for (const directory of ['sealed', stored.cache(sector), 'cache'])
      await syncDirectory(join(node, directory));
  }
  if (known === undefined) await writeJson(receiptPath, receipt);
  await verifyPublished(copy);
}

async function withoutFinalName({ node, sector, files }: Copy): Promise<FileDigest[]> {
  const has = await Promise.all(files.map(({ name }) => exists(join(node, finalName(sector, name)))));
  return files.filter((_, i) => !has[i]);
}

/** A copy that is the scratch under another name would be deleted with it. @throws failure `CopyDiffers` */
async function refuseScratch({ source, node, staging, sector }: Copy, { name }: FileDigest): Promise<void> {
  const scratch = await ifPresent(identity(join(source, plainName(name))));
  if (scratch === undefined) return;
  for (const path of [join(node, finalName(sector, name)), join(node, staging, plainName(name))])
    if ((await ifPresent(identity(path))) === scratch)
      throw new SealError(
        'CopyDiffers',
        `${path} is the scratch's own file: storage-nodes must not lead into local_dir`,
      );
}

/** What a receipt certifies: its sector and proof. Host and version may differ when P6 is repeated. */
const claimOf = ({ sector, size, ticket, seed, commD, commR, proof, files }: Receipt): string =>
  canonicalJson({ sector, size, ticket, seed, commD, commR, proof, files });

async function linkFinalName({ node, staging, sector }: Copy, file: FileDigest): Promise<void> {
  const from = join(node, staging, plainName(file.name));
  const to = join(node, finalName(sector, file.name));
  const source = await lstat(from);
  try {
    await link(from, to);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    const target = await lstat(to);
    if (target.ino !== source.ino || target.dev !== source.dev) {
      throw new SealError('CopyDiffers', `${to} exists and is another file`);
    }
  }
}

/**
 * Removes the final names left by a P6 that was killed between the first name and the receipt: those that are hard
 * links to the sector's unfinished copy.
 */
export async function removeFinalNames(node: string, owner: Owner): Promise<void> {
  if (await exists(join(node, stored.receipt(owner.sector)))) return;
  for (const { directory } of (await listStaging(node)).filter(isOf(owner)))
    for (const name of await readdir(directory)) {
      const [own, final] = [join(directory, name), join(node, finalName(owner.sector, name))];
      const [staging, there] = [await ifPresent(lstat(own)), await ifPresent(lstat(final))];
      if (staging?.isFile() && staging.ino === there?.ino && staging.dev === there.dev) await unlink(final);
    }
}

// All files are checked before the first is linked: a new copy has other inodes, and would conflict with existing
// names.
async function checkComplete(path: string, file: FileDigest, source: string): Promise<void> {
  if (!(await isSame(path, file, source)))
    throw new SealError('StepBack', `the copy ${path} is not complete`, { from: 'P5' });
}

/** @throws failure `CopyDiffers` */
async function verifyPublished(copy: Copy): Promise<void> {
  const { source, node, sector, files } = copy;
  for (const file of files) {
    const path = join(node, finalName(sector, file.name));
    await refuseScratch(copy, file);
    if (!(await isSame(path, file, source)))
      throw new SealError('CopyDiffers', `${path} is not the file that was copied`);
  }
}

/**
 * Compares the size, then the digest of a small file; a large one is compared with P2's file at random offsets.
 */
async function isSame(
  path: string,
  { name, size, blake3: digest }: FileDigest,
  source: string,
): Promise<boolean> {
  const found = await ifPresent(lstat(path));
  if (!found?.isFile() || found.size !== size) return false;
  if (size <= SMALL) return bytesToHex(blake3(await readFile(path))) === digest;
  return (await ifPresent(sameAtRandom(join(source, plainName(name)), path, size))) ?? false;
}
