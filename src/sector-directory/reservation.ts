/**
 * A sector's directory before any run has claimed it: it only reserves room in the group's directory. Only P1
 * makes it, so that no late task can recreate a deleted sector.
 */
import { join } from 'node:path';
import type { SealInput } from '../contract.js';
import { ifPresent, isErrno } from '../files.js';
import { lstat, mkdir, rm, rmdir, writeNewFile } from '../mounts/remote-fs.js';
import { listEpochs } from './epochs.js';
import { NotOursError } from './remove-tree.js';

/**
 * Whether the sector's directory exists.
 * @throws NotOursError when its name is not a directory: a sector moved to another disk and linked back is not
 *   gone
 */
export async function directoryExists(directory: string): Promise<boolean> {
  const found = await ifPresent(lstat(directory));
  if (found && !found.isDirectory())
    throw new NotOursError(
      `${directory} is ${found.isSymbolicLink() ? 'a symbolic link: mount its target there instead, or move the directory back' : 'not a directory'}`,
    );
  return found !== undefined;
}

/** Whether a run has claimed it: until then its directory only reserves room. @throws NotOursError */
export const hasBeenClaimed = async (directory: string): Promise<boolean> =>
  (await directoryExists(directory)) && (await listEpochs(directory)).length > 0;

/**
 * Makes the directory with sector.json, from which others compute how much room it reserves. An existing one is
 * not changed.
 */
export async function reserve(directory: string, seal: SealInput): Promise<void> {
  const ignoreExisting = (error: unknown): void => {
    if (!isErrno(error, 'EEXIST')) throw error;
  };
  await mkdir(directory).catch(ignoreExisting);
  // Never overwrites: a run that has claimed the sector meanwhile has written its own.
  await writeNewFile(join(directory, 'sector.json'), `${JSON.stringify(seal, null, 2)}\n`).catch(
    ignoreExisting,
  );
}

/** Releases the reservation. A directory that a run has claimed stays. */
export async function releaseReservation(directory: string): Promise<void> {
  if ((await listEpochs(directory)).length > 0) return;
  await rm(join(directory, 'sector.json'), { force: true });
  await rmdir(directory).catch((error: unknown) => {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  });
}
