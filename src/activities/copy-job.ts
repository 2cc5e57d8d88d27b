/** P5's part of a job: where to, how fast; and what goes with it when the attempt is made, or is not. */
import { listAttempts, readJob } from '../attempts/attempt.js';
import type { Job, Progress } from '../attempts/protocol.js';
import { Rate } from '../attempts/rate.js';
import type { CopyProgress, PhaseInput } from '../contract.js';
import { nodeName, type OpenGroup } from '../paths.js';
import { chooseNode } from '../storage/choose-node.js';
import { giveBack, removeParts, type Owner } from '../storage/reservations.js';
import type { Deps } from './deps.js';
import { basisResult } from './phase-job.js';
import type { Task } from './task.js';

type CopyJob = NonNullable<Job['copy']>;

/** Disks give room in blocks, and the note and the receipt take some too. */
const BLOCK = 4096;
const SMALL_FILES_BYTES = 16 * BLOCK;

/** A phase that is at work. */
export interface CopyWork {
  deps: Deps;
  task: Task;
  input: PhaseInput;
  group: OpenGroup;
  sectorDirectory: string;
}

export const ownerOf = ({ group, task }: Pick<CopyWork, 'group' | 'task'>): Owner => ({
  group,
  sector: task.sector,
});

/**
 * Reserves room on a storage node; nothing for phases that copy nothing.
 * @throws failures `NoSpace`, `MountMissing`, `StepBack` to P2 when its result is gone; MountHungError
 */
export async function prepareCopy(work: CopyWork): Promise<CopyJob | undefined> {
  const { deps, task, input, sectorDirectory } = work;
  const { P2 } = input.basis;
  if (input.phase !== 'P5' || !P2) return undefined;
  const { outputs } = await basisResult(task, sectorDirectory, 'P2', P2);
  const bytes = (outputs.files ?? []).reduce((sum, { size }) => sum + Math.ceil(size / BLOCK) * BLOCK, 0);
  const { node, into, passedOver } = await chooseNode(deps, {
    ...ownerOf(work),
    bytes: bytes + SMALL_FILES_BYTES,
    before: await nodeOfLastCopy(sectorDirectory),
    host: deps.self.host,
  });
  const { each, shared } = deps.copyLimits;
  return { node, into, limitBytesPerSec: each, shared, passedOver };
}

/** A try goes where the one before went: what that has left is known there, and deleted. */
async function nodeOfLastCopy(sectorDirectory: string): Promise<string | undefined> {
  const { all, voided } = await listAttempts(sectorDirectory, 'P5');
  const last = [...all, ...voided].sort((a, b) => a.epoch - b.epoch || a.number - b.number).at(-1);
  const node = last && (await readJob(last))?.copy?.node;
  return node && nodeName(node);
}

/**
 * Deletes what the sector's earlier tries have left on the nodes that this host sees. Whoever calls it owns the phase, or has
 * the copy that counts.
 * @param except the copy that is about to begin
 */
export async function removeEarlierCopies(deps: Deps, owner: Owner, except?: CopyJob): Promise<void> {
  for (const node of deps.storageNodes) {
    try {
      await deps.checkNode(node);
      await removeParts(node, owner, except?.node === node ? except.into : undefined);
    } catch {
      // Its time comes again: with the next attempt, or the next sector that looks for room on that node.
    }
  }
}

export const giveCopyBack = ({ node, into }: CopyJob): Promise<void> =>
  giveBack(node, into).catch(() => undefined);

/** Tells how far a copy is; nothing of engines that do not say how much they have to move. */
export function copyMeter(passedOver: string[] | undefined): (progress: Progress) => { copy?: CopyProgress } {
  const rate = new Rate();
  return ({ bytes, total }) =>
    total ? { copy: { bytes, total, bytesPerSec: rate.see(bytes, performance.now()), passedOver } } : {};
}
