/** Opens a sector's directory. Only P1 makes it, so that no late task can recreate a deleted sector. */
import { join } from 'node:path';
import {
  releaseReservation,
  hasBeenClaimed,
  directoryExists,
  reserve,
} from '../sector-directory/reservation.js';
import { SealError } from '../seal-error.js';
import { exists } from '../files.js';
import { doneFile, nodeName, sectorDir, stored, type GroupDirectory, type OpenGroup } from '../paths.js';
import { sectorFileName } from '../sector.js';
import { abortNoteOf } from '../group/notes.js';
import type { Deps } from './deps.js';
import { deleteKeepingLogs } from './delete-gone.js';
import type { Task } from './task.js';
import { refuseStaleTicket } from './ticket-age.js';
import { waitUntilVisible } from './wait-until-visible.js';

/**
 * Opens the sector's directory; P1 makes it if there is none and the scratch has room.
 * @returns its path
 * @throws failures `Aborted`, `AlreadySealed`, `NoRoom`; `StepBack` to P1 when a later phase finds no directory
 */
export async function openSectorDirectory(deps: Deps, group: OpenGroup, task: Task): Promise<string> {
  const directory = sectorDir(group, task.sector);
  // Also refused when another run has restarted the sector since: the directory is that run's now.
  await refuseAborted(group, task);
  if (!(await hasBeenClaimed(directory))) await makeSectorDirectory(deps, group, task, directory);
  return directory;
}

async function makeSectorDirectory(
  deps: Deps,
  group: OpenGroup,
  task: Task,
  directory: string,
): Promise<void> {
  await refuseSealed(deps, group, task);
  if (task.phase !== 'P1') {
    if (await waitUntilVisible(task, async () => (await directoryExists(directory)) || undefined)) return;
    throw new SealError('StepBack', `${directory} is gone`, { from: 'P1', host: deps.identity.host });
  }
  // It begins at the beginning. Asked here too: it keeps no room while it waits for another ticket.
  await refuseStaleTicket(deps, group, task);
  await deps.scratch.oneAtATime(() => reserveRoom(deps, group, task, directory));
}

/**
 * The directory is the reservation: others count it from now on. If two hosts make theirs at the same time, each
 * sees the other's in its second check and both release; they retry at different times. One worker admits tasks
 * one by one.
 * @throws failure `NoRoom`
 */
async function reserveRoom(deps: Deps, group: GroupDirectory, task: Task, directory: string): Promise<void> {
  await refuseWithoutRoom(deps, group, task);
  await reserve(directory, task.seal);
  try {
    // An abort writes its note before it checks for the directory, so one of the two always sees the other.
    await refuseAborted(group, task);
    await refuseWithoutRoom(deps, group, task);
  } catch (error) {
    await releaseReservation(directory);
    throw error;
  }
}

/** @throws failure `Aborted`: the run must not recreate what it has deleted */
async function refuseAborted(group: GroupDirectory, task: Task): Promise<void> {
  const note = await abortNoteOf(group, task.sector, task.owner);
  if (note) throw new SealError('Aborted', `${task.seal.sector} was aborted at ${note.at}: ${note.why}`);
}

/** @throws failure `NoRoom` */
async function refuseWithoutRoom(deps: Deps, group: GroupDirectory, task: Task): Promise<void> {
  const shortage = await deps.scratch.shortage(group, sectorFileName(task.sector));
  if (shortage) throw new SealError('NoRoom', `${deps.identity.host}: ${shortage}`);
}

// A storage node that hangs or is not mounted blocks a new sector: it may already hold the sector.
async function refuseSealed(deps: Deps, group: OpenGroup, task: Task): Promise<void> {
  const done = doneFile(group, task.sector);
  if (await exists(done)) {
    // If P6 was cancelled during its deletion, nobody else deletes the rest.
    await deleteKeepingLogs(deps, group, task, 'P6');
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
