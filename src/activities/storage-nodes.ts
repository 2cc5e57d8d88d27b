/** Storage nodes as this host sees them: mounted directories of config.toml. */
import { failure } from '../errors.js';
import { MountHungError } from '../mounts/mounts.js';
import { statfs } from '../mounts/remote-fs.js';
import { nodeName } from '../paths.js';
import { storedBytes, type SectorSize } from '../phases.js';
import type { Deps } from './deps.js';

type Nodes = Pick<Deps, 'storageNodes' | 'checkNode'>;

interface Looked {
  node: string;
  free: number;
  /** Why nothing may be written there. */
  wrong?: Error;
}

/**
 * The node with the most room of those that are mounted as they should be; one that hangs is passed over while another will do.
 * @throws failure `MountMissing` when none is in order, `NoSpace` when none has room for the copy; MountHungError
 */
export async function chooseNode(nodes: Nodes, size: SectorSize): Promise<string> {
  const looked = await Promise.all(nodes.storageNodes.map((node) => lookAt(nodes, node)));
  const best = looked.filter(({ wrong }) => !wrong).sort((a, b) => b.free - a.free)[0];
  const needed = storedBytes(size);
  if (best && best.free >= needed) return best.node;
  const wrong = looked.flatMap((node) => node.wrong ?? []);
  const hung = wrong.find((error) => error instanceof MountHungError);
  if (hung) throw hung;
  const reasons = wrong.map(({ message }) => message).join('; ');
  if (!best) {
    const message = `no storage node is in order: ${reasons || 'none is configured'}`;
    throw failure('MountMissing', message);
  }
  const others = reasons && `; ${reasons}`;
  throw failure(
    'NoSpace',
    `no storage node has room for ${needed} bytes: ${best.node} has ${best.free}${others}`,
  );
}

/** @throws failure `MountMissing` when this host does not have the node of that name as it should be; MountHungError */
export async function findNode(nodes: Nodes, name: string): Promise<string> {
  const node = nodes.storageNodes.find((directory) => nodeName(directory) === name);
  if (!node) throw failure('MountMissing', `storage node ${name} is not in storage-nodes of this host`);
  await nodes.checkNode(node);
  return node;
}

async function lookAt(nodes: Nodes, node: string): Promise<Looked> {
  try {
    await nodes.checkNode(node);
    const { bavail, bsize } = await statfs(node);
    return { node, free: bavail * bsize };
  } catch (error) {
    return { node, free: 0, wrong: error as Error };
  }
}
