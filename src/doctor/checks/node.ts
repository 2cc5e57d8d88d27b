/** Whether a directory can be a storage node of this group: outside local_dir, on one file system, with hard links. */
import { ifPresent } from '../../files.js';
import { MountWrongError } from '../../mounts/guard.js';
import { identity } from '../../mounts/remote-fs.js';
import type { GroupDirectory } from '../../paths.js';
import { refuseUnfitDirectories, tryHardLink } from '../../storage/fitness.js';
import {
  nodeDirectories,
  OWN_DIRECTORY_HINT,
  OwnDirectoryError,
  refuseOwnDirectory,
} from '../../storage/own-directory.js';
import { fail, ok, warn, type Verdict } from '../finding.js';

const WANTED = "a directory outside the group's own, on one file system that supports hard links";

/**
 * @param others the host's other nodes
 * @throws errors of the file system; MountHungError
 */
export async function judgeNode(
  node: string,
  group: GroupDirectory,
  others: readonly string[],
): Promise<Verdict> {
  try {
    await refuseOwnDirectory(node, group);
    await refuseUnfitDirectories(node);
    await tryHardLink(node);
  } catch (error) {
    if (!(error instanceof MountWrongError)) throw error;
    const hint = 'move its contents into a plain directory of the node, or use another node';
    return fail(error.message, WANTED, error instanceof OwnDirectoryError ? OWN_DIRECTORY_HINT : hint);
  }
  const shared = await sharedWith(node, others);
  if (shared === undefined) return ok("outside the group's directory, supports hard links");
  return warn(
    shared,
    'nodes that share no directory: their free space is counted twice',
    'keep only one of them in storage-nodes, the one that receipts name',
  );
}

async function sharedWith(node: string, others: readonly string[]): Promise<string | undefined> {
  const paths = new Map<string, string>();
  for (const path of others.flatMap(nodeDirectories)) {
    const found = await ifPresent(identity(path));
    if (found !== undefined) paths.set(found, path);
  }
  for (const path of nodeDirectories(node)) {
    const same = paths.get((await ifPresent(identity(path))) ?? '');
    if (same !== undefined) return `${path} is ${same}`;
  }
}
