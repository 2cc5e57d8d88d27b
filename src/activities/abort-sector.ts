/**
 * Deletes a sector that an operator has given up. Each step can be done again after a crash: the directory is renamed away
 * before anything in it is deleted, and a note tells what was there and whose run must not bring it back.
 */
import { z } from 'zod';
import { copiesOf } from '../attempts/attempt.js';
import { CONTRACT_VERSION, type AbortResult, type StopInput } from '../contract.js';
import { handBack } from '../errors.js';
import { lstat } from '../mounts/remote-fs.js';
import { ifPresent, readJson, usedBytes, writeJson } from '../files.js';
import { abortedFile, nodeName, sectorDir, type GroupDirectory, type OpenGroup } from '../paths.js';
import { takeNamesBack } from '../storage/publish-copy.js';
import { removeParts } from '../storage/reservations.js';
import { ownerOf } from './copy-job.js';
import type { Deps } from './deps.js';
import { endEngines } from './end-engines.js';
import { deleteGone, renameAway } from './remove-sector.js';
import { openGroup, runTask, type Task } from './task.js';
import { growing } from './retry-at-server.js';

const noteSchema = z.object({
  v: z.int(),
  sector: z.string(),
  /** Run and claim, as in epoch.json. */
  owner: z.string(),
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
    const directory = sectorDir(group, task.sector);
    let stopped: string[] = [];
    if (await ifPresent(lstat(directory))) {
      stopped = await endEngines(directory, input.why, deps, task);
      await removeCopies(deps, task, group);
      await writeJson(abortedFile(group, task.sector), await noteOf(deps, input, task, directory));
      task.goOn();
      await renameAway(group, task.sector);
    }
    await deleteGone(group, task.sector, () => task.goOn());
    deps.onRoomMade();
    const bytesFreed = (await abortNote(group, task))?.bytes ?? 0;
    return { v: CONTRACT_VERSION, stopped, bytesFreed };
  });

/** The note of an abort of this very run. */
export async function abortNote(group: GroupDirectory, task: Task): Promise<Note | undefined> {
  const note = noteSchema.safeParse(await readJson(abortedFile(group, task.sector))).data;
  return note?.owner.split('#')[0] === task.owner.split('#')[0] ? note : undefined;
}

const noteOf = async (
  { self }: Deps,
  { seal, why }: StopInput,
  task: Task,
  directory: string,
): Promise<Note> => ({
  v: 1,
  sector: seal.sector,
  owner: task.owner,
  why,
  bytes: await usedBytes(directory),
  host: self.host,
  at: new Date().toISOString(),
});

/**
 * Unfinished copies, wherever P5 was ever begun. A node that no attempt names holds none, whatever is wrong with it.
 * @throws hand-back `NoStorage` on a host that does not have a node that holds one as it should be
 */
async function removeCopies(deps: Deps, task: Task, group: OpenGroup): Promise<void> {
  const copies = await copiesOf(sectorDir(group, task.sector));
  for (const name of new Set(copies.map((copy) => nodeName(copy.node)))) {
    const node = deps.storageNodes.find((known) => nodeName(known) === name);
    const why = node === undefined ? 'is not in its config' : await wrongWith(deps, node);
    if (node === undefined || why !== undefined) {
      const message = `${deps.self.host}: a copy was begun on ${name}, which ${why}`;
      throw handBack(
        'NoStorage',
        message,
        growing(task.times.noSlotFirst, task.times.noRoomMost, task.offered),
      );
    }
    const owner = ownerOf({ group, task });
    await takeNamesBack(node, owner);
    await removeParts(node, owner);
  }
}

const wrongWith = (deps: Deps, node: string): Promise<string | undefined> =>
  deps.checkNode(node).then(
    () => undefined,
    (error: unknown) => `is not as it should be: ${(error as Error).message}`,
  );
