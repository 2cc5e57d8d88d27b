/** Inspects a phase on disk and decides what its activity has to do. Decides from files alone; changes nothing. */
import type { Attempt } from '../paths.js';
import type { Observation } from '../heartbeat.js';
import type { EnginePhaseId, Times } from '../phases.js';
import { inputHashOf, listAttempts, readError, readJob, readResult } from './attempt.js';
import { isAlive, isLocal, type HostIdentity } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import type { EngineError, EngineResult, Progress } from '../engines/protocol.js';

export type Situation =
  /** A result that counts. */
  | { is: 'result'; attempt: Attempt; result: EngineResult }
  /** The owner of the phase is alive on this host: wait for it. */
  | { is: 'live here'; attempt: Attempt; progress: Progress }
  /** This process has started its engine, which has not written its progress yet. */
  | { is: 'starting'; attempt: Attempt }
  /** The owner is on another host, and not known to be dead. */
  | { is: 'live elsewhere'; attempt: Attempt; observed: Observation; host: string }
  /** The owner ended with an error that was not reported to the workflow yet. */
  | { is: 'failed'; attempt: Attempt; error: EngineError }
  /** No engine is running: make attempt `number`. `earlier`: whose finished files it may take over, best first. */
  | { is: 'free'; number: number; earlier: Attempt[] };

export interface Inspection {
  sectorDirectory: string;
  phase: EnginePhaseId;
  epoch: number;
  inputHash: string;
  /** The newest attempt whose failure was reported to the workflow. */
  lastReported?: string;
  /** A foreign engine's counter at the previous inspection. */
  observed?: Observation;
  /**
   * Server time in ms since 1970 at which this inspection was queued; earlier inspections were over by then.
   * Hosts' clocks may differ.
   */
  offeredAt: number;
  /** Lower bound of the server's time now: the wait in the task queue is not known. */
  now: number;
  self: HostIdentity;
  times: Times;
  /** Whether this process has started the attempt's engine and not seen it exit. */
  isOurs: (attempt: Attempt) => boolean;
}

/** @returns the phase's situation; a result counts from any epoch, an engine only from the epoch in force */
export async function inspectPhase(inspection: Inspection): Promise<Situation> {
  const { sectorDirectory, phase, inputHash } = inspection;
  const { all: attempts, invalidated, nextNumber } = await listAttempts(sectorDirectory, phase);
  const matching: Attempt[] = [];
  for (const attempt of attempts) {
    if ((await inputHashOf(attempt)) !== inputHash) continue;
    const result = await readResult(attempt);
    if (result && result.inputHash === inputHash && result.phase === phase) {
      return { is: 'result', attempt, result };
    }
    matching.push(attempt);
  }
  const owner = attempts.filter(({ epoch }) => epoch === inspection.epoch).at(-1);
  if (owner && matching.includes(owner)) {
    const situation = await inspectOwner(owner, inspection);
    if (situation) return situation;
  }
  return {
    is: 'free',
    number: nextNumber(inspection.epoch),
    earlier: [...matching.reverse(), ...(await reusable(invalidated, inspection))],
  };
}

/**
 * Recorded files of an invalidated attempt are reused, and each is checked: one bad layer must not cost the good
 * ones before it. Only once: if a step back follows on what was built from them, they are wrong even if their
 * digests match.
 */
async function reusable(invalidated: Attempt[], { inputHash }: Inspection): Promise<Attempt[]> {
  const same: Attempt[] = [];
  for (const attempt of invalidated) if ((await inputHashOf(attempt)) === inputHash) same.push(attempt);
  return same.length === 1 ? same : [];
}

/** @returns undefined when the owner is dead, or its failure was reported */
async function inspectOwner(attempt: Attempt, inspection: Inspection): Promise<Situation | undefined> {
  const { lastReported, isOurs, self, times } = inspection;
  const error = await readError(attempt);
  if (error) return attempt.at === lastReported ? undefined : { is: 'failed', attempt, error };
  const progress = await readProgress(attempt.directory);
  if (!progress) return isOurs(attempt) ? { is: 'starting', attempt } : withoutProgress(attempt, inspection);
  if (isLocal(progress, self)) {
    return isAlive(progress) ? { is: 'live here', attempt, progress } : undefined;
  }
  return foreign(attempt, progress, times.observation, inspection);
}

/**
 * An engine that has not written its progress gets the time that an engine takes to appear. One started by another
 * host gets the observation time, since this host's view of the directory may be up to a minute old.
 */
async function withoutProgress(attempt: Attempt, inspection: Inspection): Promise<Situation | undefined> {
  const { self, times } = inspection;
  const host = (await readJob(attempt))?.madeBy.host ?? 'unknown';
  const timeout = host === self.host ? times.engineStart : times.observation;
  return foreign(attempt, { counter: -1, host }, timeout, inspection);
}

/**
 * An engine whose process is not visible here is alive until its counter has not moved for `timeout`. An
 * inspection does not know how long it waited in the task queue, so it cannot date its own observation. The next
 * inspection, which was queued after it, dates it; thus queue time before the first inspection never counts as a
 * standstill.
 */
function foreign(
  attempt: Attempt,
  { counter, host }: Pick<Progress, 'counter' | 'host'>,
  timeout: number,
  { observed: previous, offeredAt, now }: Inspection,
): Situation | undefined {
  const observed: Observation = { at: attempt.at, counter };
  if (previous?.at === attempt.at && previous.counter === counter) {
    observed.since = previous.since ?? offeredAt;
    if (now - observed.since >= timeout) return undefined;
  }
  return { is: 'live elsewhere', attempt, observed, host };
}
