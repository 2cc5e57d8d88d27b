/**
 * A sector's directory before any run has claimed it: it only keeps room in the group's directory. Made by P1 alone, so that no late
 * process can bring a deleted sector back.
 */
import { join } from 'node:path';
import type { SealInput } from '../contract.js';
import { ifPresent, isErrno } from '../files.js';
import { lstat, mkdir, rm, rmdir, writeNewFile } from '../mounts/remote-fs.js';
import { listEpochs } from './epochs.js';
import { NotOursError } from './remove-tree.js';

/**
 * Whether the sector's directory is there.
 * @throws NotOursError when something else has its name: a sector that was moved to another disk and linked back is not gone
 */
export async function isThere(directory: string): Promise<boolean> {
  const found = await ifPresent(lstat(directory));
  if (found && !found.isDirectory())
    throw new NotOursError(
      `${directory} is ${found.isSymbolicLink() ? 'a symbolic link: mount what it leads to in its place, or move it back' : 'not a directory'}`,
    );
  return found !== undefined;
}

/** Whether a run has claimed it: until then its directory only keeps room. @throws NotOursError */
export const isBegun = async (directory: string): Promise<boolean> =>
  (await isThere(directory)) && (await listEpochs(directory)).length > 0;

/** Makes the directory, with what tells how much room it keeps. One that is there stays as it is. */
export async function reserve(directory: string, seal: SealInput): Promise<void> {
  const ignoreExisting = (error: unknown): void => {
    if (!isErrno(error, 'EEXIST')) throw error;
  };
  await mkdir(directory).catch(ignoreExisting);
  // Never over one that is there: a run that has claimed the sector meanwhile has written its own.
  await writeNewFile(join(directory, 'sector.json'), `${JSON.stringify(seal, null, 2)}\n`).catch(
    ignoreExisting,
  );
}

/** Gives the room back. A directory that has become more than a reservation stays. */
export async function releaseReservation(directory: string): Promise<void> {
  if ((await listEpochs(directory)).length > 0) return;
  await rm(join(directory, 'sector.json'), { force: true });
  await rmdir(directory).catch((error: unknown) => {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  });
}
