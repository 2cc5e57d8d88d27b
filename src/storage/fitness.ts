/** Checks, when a storage node is chosen, that P6 will be able to publish there: P6 runs days later. */
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
 * Checks the node's directories that exist already.
 * @throws MountWrongError when one is not a directory, or is on another mount than the node; MountHungError
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
    // Also refuses a bind mount of the same file system: hard links cannot cross mounts.
    if (found !== undefined && found !== own)
      throw new MountWrongError(`${path} is another mount than ${node}: final names are hard links`);
  }
}

/** Prefix of hidden files; those that a killed test leaves may be deleted. */
const TRY_PREFIX = '.try-';

/**
 * Makes a file and a hard link to it, and removes both.
 * @throws MountWrongError when the file system does not support hard links; errors of the file system;
 *   MountHungError
 */
export async function tryHardLink(directory: string): Promise<void> {
  const file = join(directory, `${TRY_PREFIX}${randomUUID()}`);
  const second = `${file}.link`;
  try {
    await touch(file);
    await link(file, second).catch((error: unknown) => {
      if (!isErrno(error, 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV')) throw error;
      const reason = (error as Error).message;
      throw new MountWrongError(`${directory} does not support hard links, which P6 needs: ${reason}`);
    });
  } finally {
    for (const path of [second, file]) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Nodes that are known to support hard links, as `<device> <directory>`; that does not change. */
const withLinks = new Set<string>();

/** Tests a node for hard links until it has passed once in this process. @throws like {@link tryHardLink} */
export async function refuseWithoutLinks(node: string): Promise<void> {
  const stagingRoot = join(node, stored.stagingRoot);
  await makeDirectory(stagingRoot);
  const key = `${(await stat(stagingRoot)).dev} ${node}`;
  if (withLinks.has(key)) return;
  await tryHardLink(stagingRoot);
  withLinks.add(key);
}
