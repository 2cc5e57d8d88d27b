/** Makes complete directories by one atomic rename: of several that compete for a name one wins. */
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { exists, isErrno, syncDirectory, writeJson } from '../../files.js';
import { mkdir, rename } from '../../mounts/remote-fs.js';
import { removeTree } from '../remove-tree.js';

/**
 * Makes `directory` with one JSON file in it.
 * @returns false when the name is taken: someone else was faster, so read the directory again
 * @throws the file system's error when it refuses although the name is free: retrying would never end
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
    // Fails if the target is a directory that is not empty.
    await rename(temporary, directory);
  } catch (error) {
    await removeTree(temporary);
    // Both prove that the name exists, even if this host's NFS client has cached it as missing.
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    // Some file systems return EPERM instead, but it may also mean that nothing may be created here.
    if (isErrno(error, 'EPERM') && (await exists(directory))) return false;
    throw error;
  }
  await syncDirectory(parent);
  return true;
}
