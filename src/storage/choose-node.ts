/** Which storage node a copy goes to. Nodes are mounted directories of config.toml, named by their last component. */
import { join, relative } from 'node:path';
import { SealError } from '../seal-error.js';
import { isErrno } from '../files.js';
import { MountHungError } from '../mounts/mounts.js';
import { lstat, statfs } from '../mounts/remote-fs.js';
import { nodeName, type GroupDirectory } from '../paths.js';
import { amount } from '../units.js';
import { refuseUnfitDirectories, refuseWithoutLinks } from './fitness.js';
import { refuseOwnDirectory } from './own-directory.js';
import {
  releaseStaging,
  isStale,
  listStaging,
  removeOrphans,
  reserveStaging,
  bytesLeft,
  type Owner,
  type StagingDirectory,
} from './reservations.js';

/** What a host knows of its nodes. */
export interface Nodes {
  /** Mounted directories of config.toml. */
  directories: readonly string[];
  /** Whether a node may be written into, candidates at anew. @throws MountWrongError; MountHungError */
  check(directory: string): Promise<void>;
}

export interface Wanted extends Owner {
  /** Bytes that the copy takes on disk. */
  bytes: number;
  /** Name of the node that the copy was begun on before: there it goes again, if it can. */
  before: string | undefined;
  /** Earlier copies of the sector, relative to their nodes: they are deleted before this one is begun. */
  replaces: ReadonlySet<string>;
  host: string;
}

export interface Chosen {
  node: string;
  /** The reservation: a directory that is there, relative to the node. */
  into: string;
  /** Why not the others, one line each; only those that could not be had. */
  passedOver: string[];
}

interface Candidate {
  node: string;
  /** Bytes that are free; those of the copies that this one replaces count as free. */
  free: number;
  /** The same, after what others have reserved. */
  room: number;
}

/**
 * Reserves room for a copy on the node with the most of it, so that nodes fill up evenly. One that hangs is passed over while
 * another will do.
 * @throws failure `MountMissing` when no node is in order, `NoSpace` when none has room; MountHungError
 */
export async function chooseNode(nodes: Nodes, wanted: Wanted): Promise<Chosen> {
  const passedOver = new PassedOver();
  const candidates: Candidate[] = [];
  const looks = nodes.directories.map(async (node) => {
    await inspectNode(nodes, node, wanted).then(
      (look) => candidates.push(look),
      (error: unknown) => passedOver.add(node, error),
    );
  });
  await Promise.all(looks);
  const isBefore = ({ node }: Candidate): boolean => nodeName(node) === wanted.before;
  candidates.sort((a, b) => Number(isBefore(b)) - Number(isBefore(a)) || b.room - a.room);
  for (const { node, free } of candidates)
    if (free < wanted.bytes) passedOver.add(node, new FullError(free, wanted.bytes));
  for (const { node } of candidates.filter(({ free }) => free >= wanted.bytes)) {
    try {
      return { node, into: await reserveBeside(node, wanted), passedOver: passedOver.reasons };
    } catch (error) {
      passedOver.add(node, error);
    }
  }
  throw passedOver.failure();
}

/** Why nodes cannot be had, and what follows when none can. */
class PassedOver {
  readonly reasons: string[] = [];
  private isFull = false;
  private hung: MountHungError | undefined;

  add(node: string, error: unknown): void {
    if (error instanceof MountHungError) this.hung ??= error;
    if (error instanceof FullError || isErrno(error, 'ENOSPC', 'EDQUOT')) this.isFull = true;
    const message = error instanceof Error ? error.message : String(error);
    // Errors of mounts and files name the directory themselves.
    this.reasons.push(message.includes(node) ? message : `${node}: ${message}`);
  }

  failure(): Error {
    const reasons = this.reasons.join('; ') || 'none is configured';
    if (this.isFull) return new SealError('NoSpace', `no storage node has room: ${reasons}`);
    return this.hung ?? new SealError('MountMissing', `no storage node is in order: ${reasons}`);
  }
}

class FullError extends Error {
  constructor(room: number, needed: number) {
    super(`${amount(Math.max(0, room))} free, ${amount(needed)} needed`);
  }
}

/**
 * @throws failure `MountMissing`, MountWrongError when this host does not have the node of that name as it should be; MountHungError
 */
export async function findNode(nodes: Nodes, name: string, group: GroupDirectory): Promise<string> {
  const node = nodes.directories.find((directory) => nodeName(directory) === name);
  if (!node) throw new SealError('MountMissing', `storage node ${name} is not in storage-nodes of this host`);
  await nodes.check(node);
  await refuseOwnDirectory(node, group);
  return node;
}

/** Only to put the nodes in order: whether a reservation still holds is asked when one has been made. */
async function inspectNode(nodes: Nodes, node: string, wanted: Wanted): Promise<Candidate> {
  await nodes.check(node);
  await refuseOwnDirectory(node, wanted.group);
  await refuseUnfitDirectories(node);
  // Also where there is no room: orphans may be what is in the way.
  await removeOrphans(node, wanted.group);
  return { node, ...(await roomOf(node, await listStaging(node), wanted)) };
}

/**
 * Reserves room where there is some after what all others have still to write. Of two that do it at once each sees the other: both
 * give way where there is room for one only, and try again like after any full disk.
 * @returns the reservation. @throws FullError; MountWrongError where final names cannot be made; errors of the file system
 */
async function reserveBeside(node: string, wanted: Wanted): Promise<string> {
  await refuseWithoutLinks(node);
  const into = await reserveStaging(node, wanted, wanted.bytes, wanted.host);
  try {
    const own = join(node, into);
    // What was made there a moment ago tells the node's own clock.
    const now = (await lstat(own)).mtimeMs;
    const others = (await listStaging(node)).filter(({ directory }) => directory !== own);
    const { room } = await roomOf(node, others, wanted, now);
    if (room < wanted.bytes) throw new FullError(room, wanted.bytes);
    return into;
  } catch (error) {
    await releaseStaging(node, into).catch(() => undefined);
    throw error;
  }
}

/** @param now by the node's clock: then stale reservations are not counted */
async function roomOf(
  node: string,
  directories: readonly StagingDirectory[],
  { replaces }: Wanted,
  now = -Infinity,
): Promise<Omit<Candidate, 'node'>> {
  const { bavail, bsize } = await statfs(node);
  const isReplaced = ({ directory }: StagingDirectory): boolean => replaces.has(relative(node, directory));
  const replaced = directories.filter(isReplaced).reduce((sum, { used }) => sum + used, 0);
  const others = directories.filter((directory) => !isReplaced(directory) && !isStale(directory, now));
  const free = bavail * bsize + replaced;
  return { free, room: free - others.reduce((sum, directory) => sum + bytesLeft(directory), 0) };
}
