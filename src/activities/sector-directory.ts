/** A sector's directory: made by P1 alone, so that no late process can bring a deleted sector back. */
import { join } from 'node:path';
import { releaseReservation, isBegun, isThere, reserve } from '../sector-directory/reservation.js';
import { SealError } from '../seal-error.js';
import { exists } from '../files.js';
import { doneFile, nodeName, sectorDir, stored, type GroupDirectory } from '../paths.js';
import { sectorFileName } from '../sector.js';
import { abortNoteOf } from '../group/notes.js';
import type { Deps } from './deps.js';
import { deleteGone } from '../sector-directory/gone.js';
import type { Task } from './task.js';
import { waitUntilVisible } from './wait-until-visible.js';

/**
 * The sector's directory; P1 makes it where there is none and the scratch has room.
 * @throws failure `AlreadySealed`; failure `NoRoom`; `StepBack` to P1 when a later phase finds no directory.
 */
export async function openSectorDirectory(deps: Deps, group: GroupDirectory, task: Task): Promise<string> {
  const directory = sectorDir(group, task.sector);
  // Also where another run has begun the sector again since: it is that run's now.
  await refuseAborted(group, task);
  if (!(await isBegun(directory))) await makeSectorDirectory(deps, group, task, directory);
  return directory;
}

async function makeSectorDirectory(
  deps: Deps,
  group: GroupDirectory,
  task: Task,
  directory: string,
): Promise<void> {
  await refuseSealed(deps, group, task);
  if (task.phase !== 'P1') {
    if (await waitUntilVisible(task, async () => (await isThere(directory)) || undefined)) return;
    throw new SealError('StepBack', `${directory} is gone`, { from: 'P1', host: deps.identity.host });
  }
  await deps.scratch.oneAtATime(() => reserveRoom(deps, group, task, directory));
}

/**
 * The directory is the reservation: others count it from now on. Of two hosts that make theirs at once each sees the other's at
 * its second look, and both give way; they come back at different times. Tasks of one worker come one after the other.
 * @throws failure `NoRoom`
 */
async function reserveRoom(deps: Deps, group: GroupDirectory, task: Task, directory: string): Promise<void> {
  await refuseWithoutRoom(deps, group, task);
  await reserve(directory, task.seal);
  try {
    // An abort that found no directory has left its note before it looked for one; so one of the two sees the other.
    await refuseAborted(group, task);
    await refuseWithoutRoom(deps, group, task);
  } catch (error) {
    await releaseReservation(directory);
    throw error;
  }
}

/** @throws failure `Aborted`: the run must not bring back what it has deleted */
async function refuseAborted(group: GroupDirectory, task: Task): Promise<void> {
  const note = await abortNoteOf(group, task.sector, task.owner);
  if (note) throw new SealError('Aborted', `${task.seal.sector} was aborted at ${note.at}: ${note.why}`);
}

/** @throws failure `NoRoom` */
async function refuseWithoutRoom(deps: Deps, group: GroupDirectory, task: Task): Promise<void> {
  const shortage = await deps.scratch.shortage(group, sectorFileName(task.sector));
  if (shortage) throw new SealError('NoRoom', `${deps.identity.host}: ${shortage}`);
}

// A storage node that hangs or is not mounted keeps a new sector waiting: whether it holds the sector already cannot be known.
async function refuseSealed(deps: Deps, group: GroupDirectory, task: Task): Promise<void> {
  const done = doneFile(group, task.sector);
  if (await exists(done)) {
    // A P6 that was cancelled while it deleted has left the rest to nobody else.
    await deleteGone(group, task.sector, () => task.throwIfCancelled());
    throw new SealError('AlreadySealed', `${task.seal.sector} is sealed: ${done}`);
  }
  for (const node of deps.nodes.directories) {
    await deps.nodes.verifyMounted(node);
    const receipt = join(node, stored.receipt(task.sector));
    if (await exists(receipt)) {
      throw new SealError(
        'AlreadySealed',
        `${task.seal.sector} has a receipt on ${nodeName(node)}: ${receipt}`,
      );
    }
  }
}
