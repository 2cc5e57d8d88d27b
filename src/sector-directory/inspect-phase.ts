/** What is on disk for a phase, and so what an activity has to do. Decides from files alone; changes nothing. */
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
  /** The owner of the phase lives on this host: wait for it. */
  | { is: 'live here'; attempt: Attempt; progress: Progress }
  /** This process has started its engine, which has not shown itself yet. */
  | { is: 'starting'; attempt: Attempt }
  /** The owner lives elsewhere, as far as one can see. */
  | { is: 'live elsewhere'; attempt: Attempt; observed: Observation; host: string }
  /** The owner ended with an error that the workflow has not heard of. */
  | { is: 'failed'; attempt: Attempt; error: EngineError }
  /** Nothing that works: make attempt `number`. `earlier`: whose finished files it may take over, the best first. */
  | { is: 'free'; number: number; earlier: Attempt[] };

export interface Inspection {
  sectorDirectory: string;
  phase: EnginePhaseId;
  epoch: number;
  inputHash: string;
  /** The newest attempt whose failure the workflow knows. */
  lastReported?: string;
  /** How a foreign engine's counter stood when it was last looked at. */
  observed?: Observation;
  /** Server time in ms since 1970 at which this look was queued: any look before was over by then. Hosts' clocks may differ. */
  offeredAt: number;
  /** The earliest that the server's time can be now: how long this look was in the queue is not known. */
  now: number;
  self: HostIdentity;
  times: Times;
  /** Whether this process has started the attempt's engine and not seen it end. */
  isOurs: (attempt: Attempt) => boolean;
}

export async function inspectPhase(l: Inspection): Promise<Situation> {
  const { all: attempts, invalidated, nextNumber } = await listAttempts(l.sectorDirectory, l.phase);
  const fitting: Attempt[] = [];
  for (const attempt of attempts) {
    if ((await inputHashOf(attempt)) !== l.inputHash) continue;
    const result = await readResult(attempt);
    if (result && result.inputHash === l.inputHash && result.phase === l.phase) {
      return { is: 'result', attempt, result };
    }
    fitting.push(attempt);
  }
  const owner = attempts.filter(({ epoch }) => epoch === l.epoch).at(-1);
  if (owner && fitting.includes(owner)) {
    const situation = await inspectOwner(owner, l);
    if (situation) return situation;
  }
  return {
    is: 'free',
    number: nextNumber(l.epoch),
    earlier: [...fitting.reverse(), ...(await reusable(invalidated, l))],
  };
}

/**
 * A result that was invalidated still lends its recorded files, each of which is checked: one bad layer must not cost the good
 * ones before it. Only once: if a step back follows on what was built from them, they are wrong whatever their digests say.
 */
async function reusable(invalidated: Attempt[], { inputHash }: Inspection): Promise<Attempt[]> {
  const same: Attempt[] = [];
  for (const attempt of invalidated) if ((await inputHashOf(attempt)) === inputHash) same.push(attempt);
  return same.length === 1 ? same : [];
}

/** @returns undefined when the owner is dead, or its failure is known. */
async function inspectOwner(attempt: Attempt, l: Inspection): Promise<Situation | undefined> {
  const error = await readError(attempt);
  if (error) return attempt.at === l.lastReported ? undefined : { is: 'failed', attempt, error };
  const progress = await readProgress(attempt.directory);
  if (!progress) return l.isOurs(attempt) ? { is: 'starting', attempt } : notYetSeen(attempt, l);
  if (isLocal(progress, l.self)) {
    return isAlive(progress) ? { is: 'live here', attempt, progress } : undefined;
  }
  return foreign(attempt, progress, l.times.observation, l);
}

/**
 * An engine that has not written its progress is given the time that an engine needs to appear; one that another host has
 * started the observation time, since this host's view of the directory may be as old as a minute.
 */
async function notYetSeen(attempt: Attempt, l: Inspection): Promise<Situation | undefined> {
  const host = (await readJob(attempt))?.madeBy.host ?? 'unknown';
  const patience = host === l.self.host ? l.times.engineStart : l.times.observation;
  return foreign(attempt, { counter: -1, host }, patience, l);
}

/**
 * An engine whose process cannot be seen is alive until its counter has stood still for `patience`. A look does not know how
 * long it was in the queue, so not when it happens. What it sees is dated by the next one, which was queued after it; thus
 * time in the queue before the first look never passes for a standstill.
 */
function foreign(
  attempt: Attempt,
  { counter, host }: Pick<Progress, 'counter' | 'host'>,
  patience: number,
  l: Inspection,
): Situation | undefined {
  const observed: Observation = { at: attempt.at, counter };
  if (l.observed?.at === attempt.at && l.observed.counter === counter) {
    observed.since = l.observed.since ?? l.offeredAt;
    if (l.now - observed.since >= patience) return undefined;
  }
  return { is: 'live elsewhere', attempt, observed, host };
}
