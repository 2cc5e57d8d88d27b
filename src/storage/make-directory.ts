/** Directories of a storage node, made one level at a time: a missing node must not come into being as a plain directory. */
import { dirname } from 'node:path';
import { NotOursError } from '../sector-directory/remove-tree.js';
import { isErrno, syncDirectory } from '../files.js';
import { lstat, mkdir } from '../mounts/remote-fs.js';

/**
 * Makes a directory that may be there already.
 * @throws NotOursError when something else has its name: behind a symbolic link files would land outside of the node
 */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path).catch(async (error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
    await refuseOther(path);
  });
  await syncDirectory(dirname(path));
}

/** @throws NotOursError when it is no directory */
export async function refuseOther(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory())
    throw new NotOursError(`${path} is ${found.isSymbolicLink() ? 'a symbolic link' : 'not a directory'}`);
}
