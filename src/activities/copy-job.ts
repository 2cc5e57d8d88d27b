/**
 * P5's section of a job: the target node and the rate limit; plus cleanup after the attempt was made, or was not.
 */
import { copiesOf, isBefore } from '../sector-directory/attempt.js';
import type { Job, Progress } from '../engines/protocol.js';
import { Rate } from './copy-rate.js';
import type { PhaseInput } from '../contract.js';
import type { CopyProgress } from '../heartbeat.js';
import { nodeName, type AttemptName, type OpenGroup } from '../paths.js';
import { chooseNode, type Nodes } from '../storage/choose-node.js';
import { releaseStaging, removeStaging, type Owner } from '../storage/reservations.js';
import type { Deps } from './deps.js';
import { inputResult } from './phase-job.js';
import type { Task } from './task.js';

type CopyJob = NonNullable<Job['copy']>;

/** Disks allocate in blocks, and the note and the receipt take space too. */
const BLOCK = 4096;
const SMALL_FILES_BYTES = 16 * BLOCK;

/** A phase being run by a task. */
export interface CopyWork {
  deps: Deps;
  task: Task;
  input: PhaseInput;
  group: OpenGroup;
  sectorDirectory: string;
}

export const copyOwner = ({ group, task }: Pick<CopyWork, 'group' | 'task'>): Owner => ({
  group,
  sector: task.sector,
});

/**
 * Reserves room on a storage node.
 * @returns undefined for phases that copy nothing
 * @throws failures `NoSpace`, `MountMissing`, `StepBack` to P2 when its result is gone; MountHungError
 */
export async function prepareCopy(work: CopyWork): Promise<CopyJob | undefined> {
  const { deps, task, input, sectorDirectory } = work;
  const { P2 } = input.inputs;
  if (input.phase !== 'P5' || !P2) return undefined;
  const { outputs } = await inputResult(task, sectorDirectory, 'P2', P2);
  const bytes = (outputs.files ?? []).reduce((sum, { size }) => sum + Math.ceil(size / BLOCK) * BLOCK, 0);
  const earlier = await copiesOf(sectorDirectory);
  // Prefer the node of the previous attempt: what that left there is counted as free.
  const last = earlier.at(-1);
  const { node, staging, passedOver } = await chooseNode(deps.nodes, {
    ...copyOwner(work),
    bytes: bytes + SMALL_FILES_BYTES,
    before: last && nodeName(last.node),
    replaces: new Set(earlier.map(({ staging }) => staging)),
    host: deps.identity.host,
  });
  const { each, shared } = deps.nodes.copyLimits;
  return { node, staging, limitBytesPerSec: each, shared, passedOver };
}

/**
 * Deletes what earlier attempts of the sector have left on the nodes that this host can reach. Copies of later
 * attempts are not touched: if this task is a late one, the later copy counts.
 */
export async function removeEarlierCopies(work: CopyWork, made: AttemptName): Promise<void> {
  const copies = await copiesOf(work.sectorDirectory);
  const earlier = new Set(copies.filter((copy) => isBefore(copy, made)).map(({ staging }) => staging));
  await onNodesSeen(work.deps.nodes, (node) => removeStaging(node, copyOwner(work), earlier));
}

/**
 * Runs `work` on each node that passes its check. Failures are ignored: the next attempt, P6, or the next sector
 * that chooses a node repeats it.
 */
export async function onNodesSeen(nodes: Nodes, work: (node: string) => Promise<void>): Promise<void> {
  for (const node of nodes.directories)
    await nodes
      .check(node)
      .then(() => work(node))
      .catch(() => undefined);
}

export const releaseCopy = ({ node, staging }: CopyJob): Promise<void> =>
  releaseStaging(node, staging).catch(() => undefined);

/** Turns an engine's progress into copy progress; empty for engines that do not report a total. */
export function copyMeter(passedOver: string[] | undefined): (progress: Progress) => { copy?: CopyProgress } {
  const rate = new Rate();
  return ({ bytes, total }) =>
    total ? { copy: { bytes, total, bytesPerSec: rate.add(bytes, performance.now()), passedOver } } : {};
}
