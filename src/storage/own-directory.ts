/**
 * Refuses a storage node that is the group's own directory under another name. There the final names of a copy
 * would be the scratch's own files: P6 would find them in place, and delete them with the scratch.
 */
import { dirname, join } from 'node:path';
import { exists, ifPresent } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { identity, realpath } from '../mounts/remote-fs.js';
import { groupDirectories, markerFile, stored, type GroupDirectory } from '../paths.js';

/** Like every MountWrongError it ends when the config or the mount is fixed; nothing is lost until then. */
export class OwnDirectoryError extends MountWrongError {}

/** The directories on a node that sealflow writes to, the node itself first. */
export const nodeDirectories = (node: string): string[] => [
  node,
  ...['sealed', 'cache', 'receipts', stored.stagingRoot].map((name) => join(node, name)),
];

/**
 * Compares by device and inode, so that links and bind mounts are resolved. Missing directories are ignored.
 * @throws OwnDirectoryError when the node, or a directory on it, is one of the group's, lies in a group's
 *   directory, or contains it; MountHungError
 */
export async function refuseOwnDirectory(node: string, group: GroupDirectory): Promise<void> {
  const own = new Map<string, string>();
  for (const path of [group.root, ...groupDirectories(group)]) {
    const found = await ifPresent(identity(path));
    if (found !== undefined) own.set(found, path);
  }
  const root = await ifPresent(realpath(group.root));
  const above = new Set<string>();
  if (root !== undefined) for (const path of ancestors(dirname(root))) above.add(await identity(path));
  for (const directory of nodeDirectories(node)) {
    const real = await ifPresent(realpath(directory));
    if (real === undefined) continue;
    for (const path of ancestors(real)) {
      const found = await identity(path);
      const whose = own.get(found);
      if (whose !== undefined) refuse(directory, path === real ? `is ${whose}` : `lies in ${whose}`);
      // Another group's directory contains scratch too. And where inodes differ (a mount of this host's own
      // export), the marker still identifies the directory.
      if (await exists(markerFile(path)))
        refuse(
          directory,
          path === real ? "has a group's marker" : `lies in ${path}, which has a group's marker`,
        );
      if (path === real && above.has(found)) refuse(directory, `contains ${group.root}`);
    }
  }
}

/** Hint for operators. */
export const OWN_DIRECTORY_HINT =
  'give storage-nodes a mounted directory that is not in local_dir, nor around it: P6 deletes what lies in local_dir';

function refuse(directory: string, what: string): never {
  throw new OwnDirectoryError(
    `${directory} ${what}: a storage node must be apart from the group's own directory, where P6 deletes the scratch`,
  );
}

/** A directory and all its parents, the root last. @param path absolute, without symbolic links */
export function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...ancestors(above)];
}
