/** Whether a storage node can hold what P6 makes there, looked at when it is chosen: P6 itself comes days later. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { NotOursError } from '../sector-directory/remove-tree.js';
import { ifPresent, isErrno } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { identityOf, mountOf, readMountTable } from '../mounts/mount-table.js';
import { link, realpath, rm, stat, touch } from '../mounts/remote-fs.js';
import { stored } from '../paths.js';
import { makeDirectory, refuseOther } from './make-directory.js';
import { nodeDirectories } from './own-directory.js';

/**
 * Looks at the directories that are there already.
 * @throws MountWrongError when one of them is none, or another mount than the rest; MountHungError
 */
export async function refuseUnfitDirectories(node: string): Promise<void> {
  const table = await readMountTable();
  const mounted = async (path: string): Promise<string> => {
    const mount = mountOf(await realpath(path), table);
    return `${(await stat(path)).dev} ${mount && identityOf(mount)}`;
  };
  const own = await mounted(node);
  for (const path of nodeDirectories(node).slice(1)) {
    await ifPresent(refuseOther(path)).catch((error: unknown) => {
      throw error instanceof NotOursError ? new MountWrongError(error.message) : error;
    });
    const found = await ifPresent(mounted(path));
    // Also where a directory of the same file system is bound: from one mount to another there are no hard links.
    if (found !== undefined && found !== own)
      throw new MountWrongError(`${path} is another mount than ${node}: final names are hard links`);
  }
}

/** Hidden; what a killed try leaves may be deleted. */
const TRY_NAME = '.try-';

/**
 * Makes a file and a hard link to it, and removes both.
 * @throws MountWrongError when the file system has no hard links; errors of the file system; MountHungError
 */
export async function tryHardLink(directory: string): Promise<void> {
  const file = join(directory, `${TRY_NAME}${randomUUID()}`);
  const second = `${file}.link`;
  try {
    await touch(file);
    await link(file, second).catch((error: unknown) => {
      if (!isErrno(error, 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV')) throw error;
      const why = (error as Error).message;
      throw new MountWrongError(`${directory} has no hard links, which final names are: ${why}`);
    });
  } finally {
    for (const path of [second, file]) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Nodes that have shown that they have hard links: `<device> <directory>`. What has them keeps them. */
const tried = new Set<string>();

/** Tries the node once in this process' life. @throws like {@link tryHardLink} */
export async function refuseWithoutLinks(node: string): Promise<void> {
  const stagingRoot = join(node, stored.stagingRoot);
  await makeDirectory(stagingRoot);
  const key = `${(await stat(stagingRoot)).dev} ${node}`;
  if (tried.has(key)) return;
  await tryHardLink(stagingRoot);
  tried.add(key);
}
