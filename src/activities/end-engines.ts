/** Ending a sector's engines, wherever they are: by a raised epoch, by a signal where that does not help, by waiting. */
import type { Attempt } from '../paths.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAttempts, readError, readResult } from '../sector-directory/attempt.js';
import { isAlive, isLocal, terminate } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../phases.js';
import type { HostIdentity } from '../engines/processes.js';
import type { Task } from './task.js';

/**
 * Waits until all engines of a claim that has ended have ended too.
 * @param epoch that has ended it
 * @returns those that were seen to end, as `at`.
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
 * Waits until the engines of lower epochs that are at work on a phase on this host have ended: the next one must not compute
 * beside them, as they would take twice the memory and the cores that the host has for it.
 * @returns whether there was one: then there may be something new to see
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
 * Waits until an engine has ended. The raised epoch makes it end by itself; one of this host that does not is killed; one
 * elsewhere counts as ended when its counter has stood still for the observation time.
 * @returns whether there was one.
 */
async function endOf(attempt: Attempt, self: HostIdentity, task: Task): Promise<boolean> {
  const { times, signal } = task;
  let counter = -1;
  let since = performance.now();
  for (let looks = 0; ; looks++) {
    signal.throwIfAborted();
    const over = (await readResult(attempt)) ?? (await readError(attempt));
    const engine = await readProgress(attempt.directory);
    if (over || !engine) return looks > 0;
    const now = performance.now();
    if (isLocal(engine, self)) {
      if (!isAlive(engine)) return looks > 0;
      if (now - since > times.engineLease + times.terminateGrace)
        await terminate(engine, times.terminateGrace);
    } else if (engine.counter !== counter) {
      [counter, since] = [engine.counter, now];
    } else if (now - since >= times.observation) {
      return looks > 0;
    }
    task.heartbeat({ at: attempt.at, step: 'waiting for the engine to end', fraction: null });
    await sleep(times.enginePoll, undefined, { signal });
  }
}
