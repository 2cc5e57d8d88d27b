/**
 * Whether a storage node is the group's own directory under another name. There the final names of a copy are those of the scratch:
 * P6 would find its files in place, and delete them with it.
 */
import { dirname, join } from 'node:path';
import { exists, ifPresent } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { identity, realpath } from '../mounts/remote-fs.js';
import { groupDirectories, markerFile, stored, type GroupDirectory } from '../paths.js';

/** Passes, like every MountWrongError, when the config or the mount is mended; nothing is lost until then. */
export class OwnDirectoryError extends MountWrongError {}

/** Where sealflow writes on a node, the node itself first. */
export const nodeDirectories = (node: string): string[] => [
  node,
  ...['sealed', 'cache', 'receipts', stored.stagingRoot].map((name) => join(node, name)),
];

/**
 * Asked by device and inode, so that links and bind mounts are seen through. What is not there is nobody's.
 * @throws OwnDirectoryError when the node, or a directory on it, is one of the group's, lies in a group's directory, or holds it;
 *   MountHungError
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
      // Another group's directory holds scratch as well, and the marker shows where inodes do not (a mount of this host's own export).
      if (await exists(markerFile(path)))
        refuse(
          directory,
          path === real ? "has a group's marker" : `lies in ${path}, which has a group's marker`,
        );
      if (path === real && above.has(found)) refuse(directory, `holds ${group.root}`);
    }
  }
}

/** What to do about it, for people. */
export const OWN_DIRECTORY_HINT =
  'give storage-nodes a mounted directory that is not in local_dir, nor around it: P6 deletes what lies in local_dir';

function refuse(directory: string, what: string): never {
  throw new OwnDirectoryError(
    `${directory} ${what}: a storage node must be apart from the group's own directory, where P6 deletes the scratch`,
  );
}

/** A directory and all those it lies in, the root last. @param path absolute, without symbolic links */
export function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...ancestors(above)];
}
