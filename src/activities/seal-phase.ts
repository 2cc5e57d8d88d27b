/** The activity body of P1–P5: returns a result that exists, waits for a running engine, or starts one. */
import type { Attempt } from '../paths.js';
import { CancelledFailure } from '@temporalio/activity';
import { listAttempts, readError, readJob, readResult, recordedFiles } from '../sector-directory/attempt.js';
import { Claim } from '../sector-directory/claim.js';
import { inspectPhase, type Situation } from '../sector-directory/inspect-phase.js';
import { isAlive, isLocal, terminate } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import { watchEngine } from '../engines/watch.js';
import type { PhaseInput, PhaseResult } from '../contract.js';
import { SealError } from '../seal-error.js';
import { isFailureType } from '../failures.js';
import { isFull } from '../files.js';
import type { EnginePhaseId } from '../phases.js';
import { sectorFileName } from '../sector.js';
import type { Deps } from './deps.js';
import { untilEndedHere } from './end-engines.js';
import { copyMeter, releaseCopy, prepareCopy, removeEarlierCopies, type CopyWork } from './copy-job.js';
import { checkInputs, hangMsOf, inputHash, jobFor, phaseResult } from './phase-job.js';
import { openSectorDirectory } from './sector-directory.js';
import { claimantOf, drained, draining, endOfTask, runTask, type Task } from './task.js';

interface PhaseWork extends CopyWork {
  claim: Claim;
  inputHash: string;
}

export const sealPhase = (deps: Deps, phase: EnginePhaseId, input: PhaseInput): Promise<PhaseResult> =>
  runTask(deps, phase, input, 'in a slot', async (task) => {
    const group = await deps.scratch.openGroup(task.seal.group);
    const sectorDirectory = await openSectorDirectory(deps, group, task);
    const claim = await Claim.take(claimantOf(deps, group, task));
    await claim.writeSectorFile(task.seal);
    for (const at of input.invalidated) await claim.invalidate(at);
    await checkInputs(task, sectorDirectory, input);
    const { attempt, result } = await untilResult({
      deps,
      task,
      input,
      group,
      sectorDirectory,
      claim,
      inputHash: inputHash(input),
    });
    if (phase === 'P2') await claim.linkReplica(attempt);
    await claim.freeSuperseded(attempt);
    return phaseResult(phase, attempt, result);
  });

/** @returns the result that counts */
async function untilResult(work: PhaseWork): Promise<Extract<Situation, { is: 'result' }>> {
  const { deps, task, input, sectorDirectory } = work;
  for (;;) {
    // Checked on every pass: a run that was stopped or overtaken must not start anything.
    const epoch = await work.claim.assertInForce();
    const situation = await inspectPhase({
      ...work,
      phase: input.phase,
      epoch,
      lastReported: task.before.lastReported ?? input.lastReported,
      observed: task.before.observed,
      offeredAt: task.offer.at,
      now: task.offer.now(),
      self: deps.identity,
      times: task.times,
      isOurs: (attempt) => deps.engines.endOf(attempt) !== undefined,
    });
    switch (situation.is) {
      case 'result':
        return situation;
      case 'live here':
      case 'starting':
        await waitFor(situation.attempt, work);
        break;
      case 'live elsewhere':
        throw busyElsewhere(situation, task);
      case 'failed':
        if (situation.error.type === 'MissingParameters') deps.resources.parametersFailed();
        throw await engineFailure(situation, deps.identity.host);
      case 'free':
        // Also for a task that came for an engine of this host: that has ended since, as its sector was taken back.
        if (deps.slots.isDrained()) throw drained(deps.identity.host);
        if (await untilEndedHere(sectorDirectory, input.phase, epoch, deps.identity, task)) break;
        await withMemory(work, () => startAttempt(work, epoch, situation));
    }
  }
}

/**
 * Makes the next attempt, starts its engine and waits for it; does nothing if another task made that attempt
 * first.
 */
async function startAttempt(
  work: PhaseWork,
  epoch: number,
  { number, earlier }: Extract<Situation, { is: 'free' }>,
): Promise<void> {
  const { deps, task, input, sectorDirectory } = work;
  const name = { epoch, phase: input.phase, number };
  const cores = await deps.resources.coresOf(input.phase, sectorFileName(task.sector));
  const copy = await prepareCopy(work);
  const job = jobFor(deps, sectorDirectory, input, task, name, earlier, copy, cores);
  let made;
  try {
    made = await work.claim.makeAttempt(name, job);
  } finally {
    if (copy && !made) await releaseCopy(copy);
  }
  if (!made) return;
  await work.claim.freeBefore(made);
  if (copy) await removeEarlierCopies(work, made);
  await deps.engines.start(made);
  deps.journal.begins(workOf(task), { at: made.at, pid: deps.engines.processOf(made)?.pid });
  await waitFor(made, work);
}

/** Runs `body` with P4's memory reserved. @throws failure `NoMemory` when there is not enough */
async function withMemory(work: PhaseWork, body: () => Promise<void>): Promise<void> {
  const { deps, task, input } = work;
  if (input.phase !== 'P4') return await body();
  const reserved = await deps.resources.reserveMemory(sectorFileName(task.sector));
  if (typeof reserved === 'string') throw new SealError('NoMemory', `${deps.identity.host}: ${reserved}`);
  try {
    await body();
  } finally {
    reserved();
  }
}

/**
 * Waits for an engine of this host. Returns when the phase must be inspected again.
 * @throws failures `EngineDied`, `Hung`, `Draining`; the SDK's cancellation
 */
async function waitFor(attempt: Attempt, work: PhaseWork): Promise<void> {
  const { deps, task, input } = work;
  const { at } = attempt;
  let end;
  const stopWaiting = deps.engines.waitFor(attempt);
  // Everything that may throw is inside: an engine must not count as waited for when no task waits for it.
  try {
    const copyProgress = copyMeter((await readJob(attempt))?.copy?.passedOver);
    if (!deps.engines.endOf(attempt)) {
      await work.claim.adopt(attempt, deps.identity.worker);
      const pid = (await readProgress(attempt.directory))?.pid;
      deps.journal.begins(workOf(task), { at, pid, isAdopted: true });
    }
    task.working();
    end = await watchEngine({
      attempt,
      times: task.times,
      hangMs: hangMsOf(input.phase, task),
      signal: task.signal,
      ended: deps.engines.endOf(attempt),
      onProgress: (progress) => {
        task.working();
        const { step, fraction } = progress;
        // P1 is disk-bound: when it is slow, check the disk first.
        const disk = input.phase === 'P1' ? deps.resources.diskLoad() : undefined;
        task.heartbeat({ at, step, fraction, ...(disk && { disk }), ...copyProgress(progress) });
      },
      onHung: ({ progress }) => task.heartbeat({ at, step: progress, fraction: null }),
    });
  } catch (error) {
    if (!task.signal.aborted) throw error;
    const cancellation = endOfTask();
    if (cancellation === 'draining') throw draining(deps.identity.host);
    if (cancellation === 'stop the engine') await stopEngine(attempt, deps, task);
    throw new CancelledFailure(cancellation);
  } finally {
    stopWaiting();
    if (await isEngineAlive(attempt, deps)) task.detachEngine();
  }
  if ((await readResult(attempt)) || (await readError(attempt))) return;
  // A superseded engine exits without result or error; the next pass finds what superseded it.
  const newest = (await listAttempts(work.sectorDirectory, input.phase)).all.at(-1);
  if (newest?.at !== at) return;
  await work.claim.assertInForce();
  const details = { at, host: deps.identity.host, recorded: (await recordedFiles(attempt)).length };
  if (end === 'hangs') {
    const stopped = await stopEngine(attempt, deps, task);
    const outcome = stopped ? 'was stopped' : 'cannot be stopped: it is in uninterruptible sleep';
    throw new SealError(
      'Hung',
      `${at} on ${deps.identity.host} exceeded its hang limit without progress and ${outcome}`,
      details,
    );
  }
  // On a full disk an engine cannot write error.json, perhaps not even its first progress.json.
  if (await isFull(work.sectorDirectory)) {
    throw new SealError(
      'NoSpace',
      `${at} on ${deps.identity.host}: the engine ${end}; the disk is full`,
      details,
    );
  }
  throw new SealError(
    'EngineDied',
    `${at} on ${deps.identity.host}: the engine ${end}, without result or error`,
    details,
  );
}

const workOf = ({ seal, phase }: Task) => ({ sector: seal.sector, phase });

/** `startTime` of a process that /proc could not tell of. */
const UNKNOWN = -1;

/** An engine that another worker has started counts as dead if its progress cannot be read. */
async function isEngineAlive(attempt: Attempt, { engines, identity }: Deps): Promise<boolean> {
  const own = engines.processOf(attempt);
  // Node tells of its end a moment later than the kernel.
  if (own) return own.startTime === UNKNOWN || isAlive(own);
  const engine = await readProgress(attempt.directory).catch(() => undefined);
  return engine !== undefined && isLocal(engine, identity) && isAlive(engine);
}

/**
 * Stops the attempt's engine. One that has only just started has not written its process ID yet; then the starter
 * has it.
 * @returns whether it is gone
 */
async function stopEngine(attempt: Attempt, { engines }: Deps, task: Task): Promise<boolean> {
  const engine = engines.processOf(attempt) ?? (await readProgress(attempt.directory));
  return engine === undefined || (await terminate(engine, task.times.terminateGrace));
}

function busyElsewhere(
  { attempt, host, observed }: Extract<Situation, { is: 'live elsewhere' }>,
  task: Task,
) {
  // One that is dead looks the same, until its counter has stood still for long enough.
  const message = `${attempt.at} counts as running on ${host}`;
  // The observation travels with the task to the next worker that inspects the phase.
  task.heartbeat({ at: attempt.at, step: message, fraction: null, observed });
  return new SealError('BusyElsewhere', message);
}

async function engineFailure({ attempt, error }: Extract<Situation, { is: 'failed' }>, host: string) {
  return new SealError(isFailureType(error.type) ? error.type : 'Unknown', error.message, {
    at: attempt.at,
    host,
    recorded: (await recordedFiles(attempt)).length,
    from: error.from,
  });
}
