/** Directories that come into being whole, by one atomic rename: the name is what several compete for. */
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { exists, isErrno, syncDirectory, writeJson } from '../../files.js';
import { mkdir, rename } from '../../mounts/remote-fs.js';
import { removeTree } from '../remove-tree.js';

/**
 * Makes `directory` with one JSON file in it.
 * @returns false when the name is taken: someone else was faster, so look again.
 * @throws what the file system says when it refuses and the name is free: looking again would never end.
 */
export async function makeByRename(directory: string, file: string, value: unknown): Promise<boolean> {
  const parent = dirname(directory);
  const temporary = join(parent, `.new-${randomUUID()}`);
  await mkdir(temporary);
  try {
    await writeJson(join(temporary, file), value);
  } catch (error) {
    await removeTree(temporary);
    throw error;
  }
  try {
    // Renaming over a directory that is not empty is refused.
    await rename(temporary, directory);
  } catch (error) {
    await removeTree(temporary);
    // These two say that it is there, even while this host's NFS client remembers that it was not.
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    // Some file systems say this instead; it may as well mean that nothing may be made here.
    if (isErrno(error, 'EPERM') && (await exists(directory))) return false;
    throw error;
  }
  await syncDirectory(parent);
  return true;
}
