/** Storage nodes as this host sees them: mounted directories of config.toml. */
import { failure } from '../errors.js';
import { MountHungError } from '../mounts/mounts.js';
import { stat, statfs } from '../mounts/remote-fs.js';
import { nodeName } from '../paths.js';
import { SECTOR_SIZES, type SectorSize } from '../phases.js';

/** Replica and kept cache files, with room for the receipt. */
const COPY_FACTOR = 1.02;

/**
 * The node with the most room; one that hangs is passed over while another will do.
 * @throws failure `MountMissing` when none is there, `NoSpace` when none has room for the copy; MountHungError
 */
export async function chooseNode(nodes: readonly string[], size: SectorSize): Promise<string> {
  const hung: MountHungError[] = [];
  const rooms = await Promise.all(
    nodes.map(async (node) => {
      const free = await freeBytes(node).catch((error: unknown) => {
        if (!(error instanceof MountHungError)) throw error;
        hung.push(error);
      });
      return { node, free };
    }),
  );
  const present = rooms.filter((room): room is { node: string; free: number } => room.free !== undefined);
  const best = present.sort((a, b) => b.free - a.free)[0];
  const needed = SECTOR_SIZES[size] * COPY_FACTOR;
  if (hung[0] && (!best || best.free < needed)) throw hung[0];
  if (!best)
    throw failure('MountMissing', `no storage node is there: ${nodes.join(', ') || 'none is configured'}`);
  if (best.free < needed) {
    throw failure('NoSpace', `no storage node has room for ${needed} bytes: ${best.node} has ${best.free}`);
  }
  return best.node;
}

/** @throws failure `MountMissing` when this host does not have the node of that name; MountHungError */
export async function findNode(nodes: readonly string[], name: string): Promise<string> {
  const node = nodes.find((directory) => nodeName(directory) === name);
  if (!node) throw failure('MountMissing', `storage node ${name} is not in storage-nodes of this host`);
  if ((await freeBytes(node)) === undefined)
    throw failure('MountMissing', `storage node ${node} is not there`);
  return node;
}

async function freeBytes(node: string): Promise<number | undefined> {
  try {
    if (!(await stat(node)).isDirectory()) return undefined;
    const { bavail, bsize } = await statfs(node);
    return bavail * bsize;
  } catch (error) {
    if (error instanceof MountHungError) throw error;
    return undefined;
  }
}
