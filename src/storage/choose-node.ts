/**
 * Chooses the storage node for a copy. Nodes are mounted directories of config.toml, named by their last
 * component.
 */
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

/** The storage nodes of a host. */
export interface Nodes {
  /** Mounted directories of config.toml. */
  directories: readonly string[];
  /** Checks that a node may be written to. @throws MountWrongError; MountHungError */
  check(directory: string): Promise<void>;
}

export interface Wanted extends Owner {
  /** Bytes that the copy takes on disk. */
  bytes: number;
  /** Name of the node of the previous attempt, which is preferred. */
  before: string | undefined;
  /** Earlier copies of the sector, relative to their nodes: they are deleted before this one starts. */
  replaces: ReadonlySet<string>;
  host: string;
}

export interface Chosen {
  node: string;
  /** The reservation: an existing directory, relative to the node. */
  staging: string;
  /** Reasons why unusable nodes were passed over, one line each. */
  passedOver: string[];
}

interface Candidate {
  node: string;
  /** Free bytes; those of the copies that this one replaces count as free. */
  free: number;
  /** Free bytes less what others have reserved. */
  room: number;
}

/**
 * Reserves room for a copy on the node with the most room, so that nodes fill up evenly. A hung node is passed
 * over if another can be used.
 * @throws failure `MountMissing` when no node is usable, `NoSpace` when none has room; MountHungError
 */
export async function chooseNode(nodes: Nodes, wanted: Wanted): Promise<Chosen> {
  const passedOver = new PassedOver();
  const candidates: Candidate[] = [];
  const inspections = nodes.directories.map(async (node) => {
    await inspectNode(nodes, node, wanted).then(
      (candidate) => candidates.push(candidate),
      (error: unknown) => passedOver.add(node, error),
    );
  });
  await Promise.all(inspections);
  const isBefore = ({ node }: Candidate): boolean => nodeName(node) === wanted.before;
  candidates.sort((a, b) => Number(isBefore(b)) - Number(isBefore(a)) || b.room - a.room);
  for (const { node, free } of candidates)
    if (free < wanted.bytes) passedOver.add(node, new FullError(free, wanted.bytes));
  for (const { node } of candidates.filter(({ free }) => free >= wanted.bytes)) {
    try {
      return { node, staging: await reserveBeside(node, wanted), passedOver: passedOver.reasons };
    } catch (error) {
      passedOver.add(node, error);
    }
  }
  throw passedOver.failure();
}

/** Collects why nodes were passed over, and makes the failure when all were. */
class PassedOver {
  readonly reasons: string[] = [];
  private isFull = false;
  private hung: MountHungError | undefined;

  add(node: string, error: unknown): void {
    if (error instanceof MountHungError) this.hung ??= error;
    if (error instanceof FullError || isErrno(error, 'ENOSPC', 'EDQUOT')) this.isFull = true;
    const message = error instanceof Error ? error.message : String(error);
    // Mount and file errors already name the directory.
    this.reasons.push(message.includes(node) ? message : `${node}: ${message}`);
  }

  failure(): Error {
    const reasons = this.reasons.join('; ') || 'none is configured';
    if (this.isFull) return new SealError('NoSpace', `no storage node has room: ${reasons}`);
    return this.hung ?? new SealError('MountMissing', `no storage node is usable: ${reasons}`);
  }
}

class FullError extends Error {
  constructor(room: number, needed: number) {
    super(`${amount(Math.max(0, room))} free, ${amount(needed)} needed`);
  }
}

/**
 * Finds the node of that name on this host and checks it.
 * @returns its directory
 * @throws failure `MountMissing` when it is not configured; MountWrongError when it is not mounted correctly or
 *   is the group's own directory; MountHungError
 */
export async function findNode(nodes: Nodes, name: string, group: GroupDirectory): Promise<string> {
  const node = nodes.directories.find((directory) => nodeName(directory) === name);
  if (!node) throw new SealError('MountMissing', `storage node ${name} is not in storage-nodes of this host`);
  await nodes.check(node);
  await refuseOwnDirectory(node, group);
  return node;
}

/** Measures a node for the ranking. Stale reservations count here; they are excluded once ours is made. */
async function inspectNode(nodes: Nodes, node: string, wanted: Wanted): Promise<Candidate> {
  await nodes.check(node);
  await refuseOwnDirectory(node, wanted.group);
  await refuseUnfitDirectories(node);
  // Also when the node is full: orphans may take the room.
  await removeOrphans(node, wanted.group);
  return { node, ...(await roomOf(node, await listStaging(node), wanted)) };
}

/**
 * Reserves room if there is enough after what all other copies still have to write. If two reserve at the same
 * time, each sees the other: when there is room for only one, both release and retry as after any full disk.
 * @returns the reservation
 * @throws FullError; MountWrongError when final names cannot be linked; errors of the file system
 */
async function reserveBeside(node: string, wanted: Wanted): Promise<string> {
  await refuseWithoutLinks(node);
  const staging = await reserveStaging(node, wanted, wanted.bytes, wanted.host);
  try {
    const own = join(node, staging);
    // The mtime of the directory just made is the node's current time.
    const now = (await lstat(own)).mtimeMs;
    const others = (await listStaging(node)).filter(({ directory }) => directory !== own);
    const { room } = await roomOf(node, others, wanted, now);
    if (room < wanted.bytes) throw new FullError(room, wanted.bytes);
    return staging;
  } catch (error) {
    await releaseStaging(node, staging).catch(() => undefined);
    throw error;
  }
}

/** @param now by the node's clock; when given, stale reservations are not counted */
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
