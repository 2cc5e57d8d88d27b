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
 * Files up to this size are hashed once more, before and after: p_aux and t_aux. Of the large ones, which P5 has read back, some
 * place is compared with what P2 made.
 */
const SMALL = 65_536;

/** What is published. */
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
 * Links the files of `staging` to their final names and writes the receipt. Done again after a crash it finds its own links
 * and goes on.
 * @param mayGo asked before the first name is given; what it throws ends it
 * @throws failure `CopyDiffers` when a final name belongs to another file, or to the scratch, which P6 deletes; `StepBack` to P5, before any name is given, when
 *   the copy is not whole.
 */
export async function publishCopy(copy: Copy, receipt: Receipt, mayGo: () => Promise<void>): Promise<void> {
  const { source, node, staging, sector, files } = copy;
  const receiptPath = join(node, stored.receipt(sector));
  const known = (await readJson(receiptPath)) as Receipt | undefined;
  refuseNewer(receiptPath, known, ENGINE_PROTOCOL);
  if (known !== undefined && claimOf(known) !== claimOf(receipt)) {
    throw new SealError('CopyDiffers', `${receiptPath} is there and says something else`);
  }
  for (const file of files) await refuseScratch(copy, file);
  // Behind the receipt all have their names, but for what a person has moved away since, because it was damaged.
  const nameless = known === undefined ? files : await withoutFinalName(copy);
  if (nameless.length > 0) {
    await ifPresent(refuseOther(join(node, staging)));
    for (const file of nameless) await checkWhole(join(node, staging, plainName(file.name)), file, source);
    await mayGo();
    for (const directory of ['sealed', 'cache', 'receipts', stored.cache(sector)])
      await makeDirectory(join(node, directory));
    for (const file of nameless) await linkFinalName(copy, file);
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

/** Where the copy is the scratch under another name it would be deleted as the scratch. @throws failure `CopyDiffers` */
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

/** Of whom a receipt speaks and what it proves; who made it, and by which version, may differ when P6 is done again. */
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
      throw new SealError('CopyDiffers', `${to} is there and is another file`);
    }
  }
}

/**
 * A P6 that was killed between the first final name and the receipt has left names on the node. They are the sector's own where they
 * are links to its unfinished copy.
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

// All files before the first name: a copy that is made again has other inodes, and a name that was given would stand against it.
async function checkWhole(path: string, file: FileDigest, source: string): Promise<void> {
  if (!(await isSame(path, file, source)))
    throw new SealError('StepBack', `the copy ${path} is not whole`, { from: 'P5' });
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

/** Compares size, and digest where the file is small, else some place with P2's own file. */
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
