/** A sector's directory: made by P1 alone, so that no late process can bring a deleted sector back. */
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { Attempt } from '../attempts/attempt.js';
import { listEpochs } from '../attempts/epochs.js';
import { canonicalJson } from '../attempts/protocol.js';
import { refuseNewer } from '../contract.js';
import { failure, handBack } from '../errors.js';
import { exists, ifPresent, isErrno, readJson, writeJson } from '../files.js';
import { link, lstat, mkdir, rename, rm, rmdir } from '../mounts/remote-fs.js';
import { doneFile, nodeName, sealedLink, sectorDir, stored, type GroupDirectory } from '../paths.js';
import { sectorFileName } from '../sector.js';
import { abortNote } from './abort-sector.js';
import type { Deps } from './deps.js';
import { deleteGone } from './remove-sector.js';
import { growing } from './retry-at-server.js';
import type { Task } from './task.js';
import { untilSeen } from './until-seen.js';

/**
 * The sector's directory; P1 makes it where there is none and the scratch has room.
 * @throws failure `AlreadySealed`; hand-back `NoRoom`; `StepBack` to P1 when a later phase finds no directory.
 */
export async function openSectorDirectory(deps: Deps, group: GroupDirectory, task: Task): Promise<string> {
  const directory = sectorDir(group, task.sector);
  if (!(await isBegun(directory))) await makeSectorDirectory(deps, group, task, directory);
  await writeSectorFile(directory, task);
  return directory;
}

/** Whether a run has claimed it: until then its directory only keeps room. */
const isBegun = async (directory: string): Promise<boolean> =>
  (await isThere(directory)) === true && (await listEpochs(directory)).length > 0;

const isThere = async (directory: string): Promise<true | undefined> =>
  (await ifPresent(lstat(directory)))?.isDirectory() || undefined;

async function makeSectorDirectory(
  deps: Deps,
  group: GroupDirectory,
  task: Task,
  directory: string,
): Promise<void> {
  await refuseSealed(deps, group, task);
  if (await abortNote(group, task)) throw failure('Overtaken', `${task.seal.sector} was aborted`);
  if (task.phase !== 'P1') {
    if (await untilSeen(task, () => isThere(directory))) return;
    throw failure('StepBack', `${directory} is gone`, { from: 'P1', host: deps.self.host });
  }
  await deps.oneAtATime(() => reserveRoom(deps, group, task, directory));
}

/**
 * The directory is the reservation: others count it from now on. Of two hosts that make theirs at once each sees the other's at
 * its second look, and both give way; they come back at different times. Tasks of one worker come one after the other.
 * @throws hand-back `NoRoom`
 */
async function reserveRoom(deps: Deps, group: GroupDirectory, task: Task, directory: string): Promise<void> {
  await refuseWithoutRoom(deps, group, task);
  await mkdir(directory).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
  });
  try {
    await writeSectorFile(directory, task);
    await refuseWithoutRoom(deps, group, task);
  } catch (error) {
    await giveWay(directory);
    throw error;
  }
}

/** @throws hand-back `NoRoom` */
async function refuseWithoutRoom(deps: Deps, group: GroupDirectory, task: Task): Promise<void> {
  const why = await deps.whyNoRoom(group, sectorFileName(task.sector));
  if (!why) return;
  const { noSlotMost, noRoomMost } = task.times;
  const delay = growing(noSlotMost, noRoomMost, task.offered) * (0.5 + Math.random() / 2);
  throw handBack('NoRoom', `${deps.self.host}: ${why}`, delay);
}

/** A directory that has become more than a reservation stays. */
async function giveWay(directory: string): Promise<void> {
  if ((await listEpochs(directory)).length > 0) return;
  await rm(join(directory, 'sector.json'), { force: true });
  await rmdir(directory).catch((error: unknown) => {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  });
}

// A storage node that hangs or is not mounted keeps a new sector waiting: whether it holds the sector already cannot be known.
async function refuseSealed(deps: Deps, group: GroupDirectory, task: Task): Promise<void> {
  const done = doneFile(group, task.sector);
  if (await exists(done)) {
    // A P6 that was cancelled while it deleted has left the rest to nobody else.
    await deleteGone(group, task.sector, () => task.goOn());
    throw failure('AlreadySealed', `${task.seal.sector} is sealed: ${done}`);
  }
  for (const node of deps.storageNodes) {
    await deps.seeNode(node);
    const receipt = join(node, stored.receipt(task.sector));
    if (await exists(receipt)) {
      throw failure('AlreadySealed', `${task.seal.sector} has a receipt on ${nodeName(node)}: ${receipt}`);
    }
  }
}

/** sector.json: enough to start the sector anew without Temporal. */
async function writeSectorFile(directory: string, { seal }: Task): Promise<void> {
  const path = join(directory, 'sector.json');
  const known = await readJson(path).catch((error: unknown) => {
    if (!(error instanceof SyntaxError)) throw error;
  });
  refuseNewer(path, known);
  if (canonicalJson(known ?? null) !== canonicalJson(seal)) await writeJson(path, seal);
}

/** Shows the replica of the P2 attempt that counts under `sealed/`. For people only: a failure is no failure. */
export async function linkReplica(group: GroupDirectory, task: Task, attempt: Attempt): Promise<void> {
  const name = sealedLink(group, task.sector);
  const temporary = `${name}.${randomUUID()}`;
  try {
    await link(join(attempt.directory, 'sealed'), temporary);
    await rename(temporary, name);
  } catch {
    // Nothing reads it.
  } finally {
    // rename() of two links to one inode does nothing and leaves both (rename(2)).
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
