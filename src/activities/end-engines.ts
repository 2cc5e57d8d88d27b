/**
 * Ends a sector's engines on any host: the raised epoch makes them exit; a local one that does not exit is killed.
 */
import type { Attempt } from '../paths.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAttempts, readError, readResult } from '../sector-directory/attempt.js';
import { isAlive, isLocal, terminate } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../phases.js';
import type { HostIdentity } from '../engines/processes.js';
import type { Task } from './task.js';

/**
 * Waits until all engines of a claim that has ended have exited.
 * @param epoch that ended the claim
 * @returns the attempts (`at`) whose engines ended while this waited
 */
export async function endEngines(
  directory: string,
  epoch: number,
  self: HostIdentity,
  task: Task,
): Promise<string[]> {
  const lists = await Promise.all(ENGINE_PHASE_IDS.map((phase) => listAttempts(directory, phase)));
  const attempts = lists.flatMap(({ all }) => all).filter((attempt) => attempt.epoch < epoch);
  const ends = await Promise.all(attempts.map((attempt) => endOf(attempt, self, task)));
  return attempts.filter((_, i) => ends[i]).map(({ at }) => at);
}

/**
 * Waits until this host's engines of lower epochs have ended on a phase: running the next one alongside them would
 * take twice the memory and cores that the host has for the phase.
 * @returns whether there was one: then the phase must be inspected again
 */
export async function untilEndedHere(
  directory: string,
  phase: EnginePhaseId,
  epoch: number,
  self: HostIdentity,
  task: Task,
): Promise<boolean> {
  let waited = false;
  const { all, invalidated } = await listAttempts(directory, phase);
  for (const attempt of [...all, ...invalidated].filter((attempt) => attempt.epoch < epoch)) {
    const engine = await readProgress(attempt.directory);
    if (!engine || !isLocal(engine, self) || !isAlive(engine)) continue;
    waited = true;
    await endOf(attempt, self, task).catch((error: unknown) => {
      task.throwIfCancelled();
      throw error;
    });
  }
  return waited;
}

/**
 * Waits until an engine has ended. The raised epoch makes it exit by itself. A local engine that does not is
 * killed; one on another host counts as ended when its counter has not moved for the observation time.
 * @returns whether it was still running at first
 */
async function endOf(attempt: Attempt, self: HostIdentity, task: Task): Promise<boolean> {
  const { times, signal } = task;
  let counter = -1;
  let since = performance.now();
  for (let polls = 0; ; polls++) {
    signal.throwIfAborted();
    const outcome = (await readResult(attempt)) ?? (await readError(attempt));
    const engine = await readProgress(attempt.directory);
    if (outcome || !engine) return polls > 0;
    const now = performance.now();
    if (isLocal(engine, self)) {
      if (!isAlive(engine)) return polls > 0;
      if (now - since > times.engineLease + times.terminateGrace)
        await terminate(engine, times.terminateGrace);
    } else if (engine.counter !== counter) {
      [counter, since] = [engine.counter, now];
    } else if (now - since >= times.observation) {
      return polls > 0;
    }
    task.heartbeat({ at: attempt.at, step: 'waiting for the engine to end', fraction: null });
    await sleep(times.enginePoll, undefined, { signal });
  }
}
