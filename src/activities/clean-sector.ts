/**
 * P6: gives the copy its final names, writes the receipt, and only then deletes the scratch. Every step can be
 * repeated after a crash: the files on disk show how far it got.
 */
import { join } from 'node:path';
import { listAttempts } from '../sector-directory/attempt.js';
import { Claim } from '../sector-directory/claim.js';
import { NotOursError } from '../sector-directory/remove-tree.js';
import { CONTRACT_VERSION, type CleanInput, type CleanResult } from '../contract.js';
import { SealError } from '../seal-error.js';
import { ifPresent, isErrno, usedBytes } from '../files.js';
import { lstat } from '../mounts/remote-fs.js';
import {
  attemptDir,
  doneFile,
  plainName,
  sectorDir,
  stored,
  type GroupDirectory,
  type OpenGroup,
} from '../paths.js';
import { ENGINE_PHASE_IDS } from '../phases.js';
import { readJournal, writeDone, type Journal } from '../group/notes.js';
import { findNode } from '../storage/choose-node.js';
import { refuseOther } from '../storage/make-directory.js';
import { publishCopy } from '../storage/publish-copy.js';
import { copiedFiles, receiptOf, type Results } from '../storage/receipt.js';
import { refuseLoss } from '../storage/refuse-loss.js';
import { removeStaging } from '../storage/reservations.js';
import { copyOwner, onNodesSeen } from './copy-job.js';
import type { Deps } from './deps.js';
import { inputResult } from './phase-job.js';
import { deleteKeepingLogs } from './delete-gone.js';
import { freeAttempts, goneDirectories, JOURNAL } from '../sector-directory/gone.js';
import { claimantOf, runTask, type Task } from './task.js';
import { waitUntilVisible } from './wait-until-visible.js';

export const cleanSector = (deps: Deps, input: CleanInput): Promise<CleanResult> =>
  runTask(deps, 'P6', input, 'in a slot', async (task) => {
    const startedAt = performance.now();
    const heartbeat = (step: string, fraction: number): void => {
      task.throwIfCancelled();
      task.heartbeat({ at: '', step, fraction });
    };
    heartbeat('inspecting', 0);
    const group = await deps.scratch.openGroup(task.seal.group);
    const directory = sectorDir(group, task.sector);
    const done = doneFile(group, task.sector);
    let journal = await readJournal(done);
    if (!journal) {
      await waitUntilVisible(
        task,
        async () => (await ifPresent(lstat(directory))) ?? (await goneDirectories(group, task.sector))[0],
      );
      if (await ifPresent(lstat(directory))) {
        await refuseOther(directory);
        if ([deps.scratch.cleanAfter, task.seal.cleanAfter].includes('landed') && !input.landed)
          throw new SealError(
            'NotLanded',
            'proof and copy are complete; the scratch is retained until the proof is on chain',
          );
        task.working();
        await publish(deps, input, task, group, heartbeat);
      }
      journal = await markDone(deps, task, group);
    }
    // Once `done/` is written nothing can be lost any more: finish the deletion, also one that a killed P6 left
    // behind.
    heartbeat('deleting the scratch', 0.5);
    await deleteKeepingLogs(deps, group, task, 'P6').catch((error: unknown) => {
      if (!(error instanceof NotOursError)) throw error;
      throw new SealError('NotOurs', error.message, { host: deps.identity.host, stored: true });
    });
    deps.scratch.onRoomMade();
    const { storage, bytes } = journal;
    const seconds = (performance.now() - startedAt) / 1000;
    return { v: CONTRACT_VERSION, host: deps.identity.host, seconds, storage, bytesFreed: bytes };
  });

/** Renames the scratch away and writes the sector's `done/`. From here on the sector is sealed. */
async function markDone(deps: Deps, task: Task, group: OpenGroup): Promise<Journal> {
  const directory = sectorDir(group, task.sector);
  if (await ifPresent(lstat(directory))) {
    task.throwIfCancelled();
    await refuseLoss(deps.nodes.directories, group, task.sector, await readJournal(join(directory, JOURNAL)));
    const claim = await Claim.take(claimantOf(deps, group, task));
    await claim.renameAway();
  }
  const journal = await journalOfGone(group, task);
  await retryWithRoom(
    () => writeDone(group, task.sector, journal),
    async () => {
      for (const gone of await goneDirectories(group, task.sector)) await freeAttempts(gone);
    },
  );
  return journal;
}

async function publish(
  deps: Deps,
  input: CleanInput,
  task: Task,
  group: OpenGroup,
  heartbeat: (step: string, fraction: number) => void,
): Promise<void> {
  const directory = sectorDir(group, task.sector);
  const claim = await Claim.take(claimantOf(deps, group, task));
  const entries = ENGINE_PHASE_IDS.map(async (id) => [
    id,
    await inputResult(task, directory, id, input.results[id]),
  ]);
  const results = Object.fromEntries(await Promise.all(entries)) as Results;
  const receipt = receiptOf(input.seal, task.sector, results, deps.identity.version);
  const node = await findNode(deps.nodes, receipt.node, group);
  heartbeat('final names and receipt', 0.1);
  const copy = {
    source: attemptDir(directory, input.results.P2.at),
    node,
    staging: results.P5.facts.staging ?? '',
    sector: task.sector,
    files: copiedFiles(results),
  };
  await publishCopy(copy, receipt, async () => {
    await claim.assertInForce();
  });
  const owner = copyOwner({ group, task });
  await claim.assertInForce();
  await removeStaging(node, owner);
  await onNodesSeen(deps.nodes, (other) => removeStaging(other, owner));
  const journal: Journal = {
    v: CONTRACT_VERSION,
    sector: input.seal.sector,
    storage: {
      node: receipt.node,
      sealed: stored.sealed(task.sector),
      cache: stored.cache(task.sector),
      receipt: stored.receipt(task.sector),
    },
    commR: receipt.commR,
    bytes: await usedBytes(directory),
    host: deps.identity.host,
    at: new Date().toISOString(),
  };
  await retryWithRoom(
    () => claim.writeNote(JOURNAL, journal),
    () => deleteLayers(claim, results),
  );
}

/** On a full disk only P6 frees space, but its own journal needs some first. */
async function retryWithRoom(write: () => Promise<void>, makeRoom: () => Promise<void>): Promise<void> {
  await write().catch(async (error: unknown) => {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
    await makeRoom();
    await write();
  });
}

/** Deletes P1's files, in every attempt that has linked them. Once the receipt is written nothing needs them. */
async function deleteLayers(claim: Claim, { P1 }: Results): Promise<void> {
  const lists = await Promise.all(ENGINE_PHASE_IDS.map((phase) => listAttempts(claim.directory, phase)));
  for (const attempt of lists.flatMap(({ all, invalidated }) => [...all, ...invalidated])) {
    const files = P1.outputs.files ?? [];
    await claim.deleteFiles(files.map(({ name }) => join(attempt.directory, plainName(name))));
  }
}

/**
 * @throws failure `StepBack` to P1 when the sector's directory is gone but was not renamed away by P6: it was lost
 */
async function journalOfGone(group: GroupDirectory, task: Task): Promise<Journal> {
  for (const gone of await goneDirectories(group, task.sector)) {
    const journal = await readJournal(join(gone, JOURNAL));
    if (journal) return journal;
  }
  // Another P6 may already have deleted the journal; its `done/` may become visible here later than that.
  const done = await waitUntilVisible(task, () => readJournal(doneFile(group, task.sector)));
  if (done) return done;
  const directory = sectorDir(group, task.sector);
  throw new SealError('StepBack', `${directory} is gone, and P6 has not deleted it`, { from: 'P1' });
}
