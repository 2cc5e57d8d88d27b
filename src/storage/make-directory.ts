/**
 * Makes directories on a storage node one level at a time: a node that is not mounted must not be created as one.
 */
import { dirname } from 'node:path';
import { NotOursError } from '../sector-directory/remove-tree.js';
import { isErrno, syncDirectory } from '../files.js';
import { lstat, mkdir } from '../mounts/remote-fs.js';

/**
 * Makes a directory unless it exists.
 * @throws NotOursError when its name is not a directory: through a symbolic link files would land outside the node
 */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path).catch(async (error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
    await refuseOther(path);
  });
  await syncDirectory(dirname(path));
}

/** @throws NotOursError when it is not a directory */
export async function refuseOther(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory())
    throw new NotOursError(`${path} is ${found.isSymbolicLink() ? 'a symbolic link' : 'not a directory'}`);
}
