/**
 * Deletes a sector that an operator has given up. Each step can be done again after a crash: the directory is renamed away
 * before anything in it is deleted, and a note tells what was there and whose run must not bring it back.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { copiesOf } from '../attempts/attempt.js';
import { EndedClaim } from '../attempts/claim.js';
import { isOfAnotherRun, isOfSameRun } from '../attempts/epochs.js';
import { isThere } from '../attempts/reservation.js';
import { CONTRACT_VERSION, type AbortResult, type StopInput } from '../contract.js';
import { handBack } from '../errors.js';
import { exists, readJson, usedBytes, writeJson } from '../files.js';
import { abortedFile, nodeName, sectorDir, type GroupDirectory, type OpenGroup } from '../paths.js';
import { takeNamesBack } from '../storage/publish-copy.js';
import { removeParts } from '../storage/reservations.js';
import { copyOwner } from './copy-job.js';
import type { Deps } from './deps.js';
import { endEngines } from './end-engines.js';
import { deleteGone, JOURNAL } from './remove-sector.js';
import { claimantOf, openGroup, runTask, type Task } from './task.js';
import { growing } from './retry-at-server.js';

const noteSchema = z.object({
  v: z.int(),
  sector: z.string(),
  /** Run and claim, as in epoch.json. */
  owner: z.string(),
  /** Runs that have aborted the sector before: none of them may bring it back. */
  earlier: z.array(z.string()).default([]),
  why: z.string(),
  /** Bytes on disk that the directory held. */
  bytes: z.number(),
  host: z.string(),
  at: z.string(),
});
type Note = z.infer<typeof noteSchema>;

export const abortSector = (deps: Deps, input: StopInput): Promise<AbortResult> =>
  runTask(deps, 'P6', input, 'outside of slots', async (task) => {
    const group = await openGroup(deps, task);
    const stopped = new Set<string>();
    await refuseSectorOfAnother(deps, input, task, group);
    // First of all, also where there is no directory yet: a P1 that comes late must find it. What comes before it, is seen here.
    await keepNote(deps, input, task, group);
    while (await isThere(sectorDir(group, task.sector)))
      for (const at of await endAndRenameAway(deps, input, task, group)) stopped.add(at);
    // What P6 of another run has renamed away is that run's to note as done, and to delete.
    const isOurs = async (gone: string): Promise<boolean> =>
      !(await exists(join(gone, JOURNAL))) || !(await isOfAnotherRun(gone, task.owner));
    await deleteGone(group, task.sector, () => task.throwIfCancelled(), isOurs);
    deps.onRoomMade();
    const bytesFreed = (await abortNote(group, task))?.bytes ?? 0;
    return { v: CONTRACT_VERSION, stopped: [...stopped], bytesFreed };
  });

/** @throws failure `ClaimedByOther` before anything is changed, the note included */
async function refuseSectorOfAnother(
  deps: Deps,
  { why }: StopInput,
  task: Task,
  group: OpenGroup,
): Promise<void> {
  if (await isThere(sectorDir(group, task.sector))) await EndedClaim.take(claimantOf(deps, group, task), why);
}

/** @returns the engines that were seen to end, as `at` */
async function endAndRenameAway(
  deps: Deps,
  input: StopInput,
  task: Task,
  group: OpenGroup,
): Promise<string[]> {
  const directory = sectorDir(group, task.sector);
  const claim = await EndedClaim.take(claimantOf(deps, group, task), input.why);
  const stopped = await endEngines(directory, claim.epoch, deps, task);
  await removeCopies(deps, task, group, claim);
  await keepNote(deps, input, task, group);
  task.throwIfCancelled();
  await claim.renameAway();
  return stopped;
}

/** The note tells how many bytes there were; one of this run that knows of more is kept, and so are the names of earlier runs. */
async function keepNote(deps: Deps, input: StopInput, task: Task, group: OpenGroup): Promise<void> {
  const known = await readNote(group, task);
  const note = await noteOf(deps, input, task, sectorDir(group, task.sector));
  const isOwn = known !== undefined && isOfSameRun(known.owner, task.owner);
  if (isOwn && known.bytes >= note.bytes) return;
  const before = known ? [...known.earlier, ...(isOwn ? [] : [known.owner])] : [];
  await writeJson(abortedFile(group, task.sector), { ...note, earlier: before });
}

/** The note of an abort, where this very run was aborted by it or before it. */
export async function abortNote(group: GroupDirectory, task: Task): Promise<Note | undefined> {
  const note = await readNote(group, task);
  return note && [note.owner, ...note.earlier].some((owner) => isOfSameRun(owner, task.owner))
    ? note
    : undefined;
}

const readNote = async (group: GroupDirectory, task: Task): Promise<Note | undefined> =>
  noteSchema.safeParse(await readJson(abortedFile(group, task.sector))).data;

const noteOf = async (
  { self }: Deps,
  { seal, why }: StopInput,
  task: Task,
  directory: string,
): Promise<Note> => ({
  v: 1,
  sector: seal.sector,
  owner: task.owner,
  earlier: [],
  why,
  bytes: await usedBytes(directory),
  host: self.host,
  at: new Date().toISOString(),
});

/**
 * Unfinished copies, wherever P5 was ever begun. A node that no attempt names holds none, whatever is wrong with it.
 * @throws hand-back `NoStorage` on a host that does not have a node that holds one as it should be
 */
async function removeCopies(deps: Deps, task: Task, group: OpenGroup, claim: EndedClaim): Promise<void> {
  const copies = await copiesOf(sectorDir(group, task.sector));
  for (const name of new Set(copies.map((copy) => nodeName(copy.node)))) {
    const node = deps.storageNodes.find((known) => nodeName(known) === name);
    const why = node === undefined ? 'is not in its config' : await wrongWith(deps, node);
    if (node === undefined || why !== undefined) {
      const message = `${deps.self.host}: a copy was begun on ${name}, which ${why}`;
      throw handBack(
        'NoStorage',
        message,
        growing(task.times.noSlotFirst, task.times.noRoomMax, task.offered),
      );
    }
    const owner = copyOwner({ group, task });
    // What another run that has claimed the sector since copies there is not ours to delete.
    await claim.assertInForce();
    await takeNamesBack(node, owner);
    await removeParts(node, owner);
  }
}

const wrongWith = (deps: Deps, node: string): Promise<string | undefined> =>
  deps.checkNode(node).then(
    () => undefined,
    (error: unknown) => `is not as it should be: ${(error as Error).message}`,
  );
