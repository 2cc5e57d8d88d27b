/**
 * Deletes a sector that an operator has aborted. Every step can be repeated after a crash: the directory is
 * renamed away before anything in it is deleted, and a note records what was there and which run must not recreate
 * it.
 */
import { join } from 'node:path';
import { copiesOf } from '../sector-directory/attempt.js';
import { EndedClaim } from '../sector-directory/claim.js';
import { isOfAnotherRun } from '../sector-directory/epochs.js';
import { directoryExists } from '../sector-directory/reservation.js';
import { CONTRACT_VERSION, type AbortResult, type StopInput } from '../contract.js';
import { SealError } from '../seal-error.js';
import { exists, usedBytes } from '../files.js';
import { nodeName, sectorDir, type OpenGroup } from '../paths.js';
import { removeFinalNames } from '../storage/publish-copy.js';
import { removeStaging } from '../storage/reservations.js';
import { abortNoteOf, keepAbortNote } from '../group/notes.js';
import { copyOwner } from './copy-job.js';
import type { Deps } from './deps.js';
import { endEngines } from './end-engines.js';
import { deleteKeepingLogs } from './delete-gone.js';
import { JOURNAL } from '../sector-directory/gone.js';
import { claimantOf, runTask, type Task } from './task.js';

export const abortSector = (deps: Deps, input: StopInput): Promise<AbortResult> =>
  runTask(deps, 'P6', input, 'outside of slots', async (task) => {
    const group = await deps.scratch.openGroup(task.seal.group);
    const stopped = new Set<string>();
    await refuseSectorOfAnother(deps, input, task, group);
    // Written even if there is no directory yet, for a late P1 to find. A directory made before the note is found
    // below.
    await keepNote(deps, input, task, group);
    while (await directoryExists(sectorDir(group, task.sector)))
      for (const at of await endAndRenameAway(deps, input, task, group)) stopped.add(at);
    // A directory that another run's P6 has renamed away is for that run to mark done and delete.
    const isOurs = async (gone: string): Promise<boolean> =>
      !(await exists(join(gone, JOURNAL))) || !(await isOfAnotherRun(gone, task.owner));
    await deleteKeepingLogs(deps, group, task, 'abort', isOurs);
    deps.scratch.onRoomMade();
    const bytesFreed = (await abortNoteOf(group, task.sector, task.owner))?.bytes ?? 0;
    return { v: CONTRACT_VERSION, stopped: [...stopped], bytesFreed };
  });

/** @throws failure `ClaimedByOther` before anything is changed, including the note */
async function refuseSectorOfAnother(
  deps: Deps,
  { why }: StopInput,
  task: Task,
  group: OpenGroup,
): Promise<void> {
  if (await directoryExists(sectorDir(group, task.sector)))
    await EndedClaim.take(claimantOf(deps, group, task), why);
}

/** @returns the attempts (`at`) whose engines ended while this waited */
async function endAndRenameAway(
  deps: Deps,
  input: StopInput,
  task: Task,
  group: OpenGroup,
): Promise<string[]> {
  const directory = sectorDir(group, task.sector);
  const claim = await EndedClaim.take(claimantOf(deps, group, task), input.why);
  const stopped = await endEngines(directory, claim.epoch, deps.identity, task);
  await removeCopies(deps, task, group, claim);
  await keepNote(deps, input, task, group);
  task.throwIfCancelled();
  await claim.renameAway();
  return stopped;
}

const keepNote = async (
  { identity }: Deps,
  { why }: StopInput,
  { sector, owner }: Task,
  group: OpenGroup,
): Promise<void> =>
  keepAbortNote(group, sector, {
    owner,
    why,
    bytes: await usedBytes(sectorDir(group, sector)),
    host: identity.host,
  });

/**
 * Removes unfinished copies from every node that a P5 attempt was ever started on. A node that no attempt names
 * holds none, so its state does not matter.
 * @throws failure `NoStorage` on a host where a node that holds one is not configured or not healthy
 */
async function removeCopies(deps: Deps, task: Task, group: OpenGroup, claim: EndedClaim): Promise<void> {
  const copies = await copiesOf(sectorDir(group, task.sector));
  for (const name of new Set(copies.map((copy) => nodeName(copy.node)))) {
    const node = deps.nodes.directories.find((known) => nodeName(known) === name);
    const fault = node === undefined ? 'is not in its config' : await nodeFault(deps, node);
    if (node === undefined || fault !== undefined) {
      throw new SealError(
        'NoStorage',
        `${deps.identity.host}: a copy was started on ${name}, which ${fault}`,
      );
    }
    const owner = copyOwner({ group, task });
    // If another run has claimed the sector since, its copies there are not ours to delete.
    await claim.assertInForce();
    await removeFinalNames(node, owner);
    await removeStaging(node, owner);
  }
}

/** What is wrong with the node; undefined when it can be used. */
const nodeFault = (deps: Deps, node: string): Promise<string | undefined> =>
  deps.nodes.check(node).then(
    () => undefined,
    (error: unknown) => `cannot be used: ${(error as Error).message}`,
  );
