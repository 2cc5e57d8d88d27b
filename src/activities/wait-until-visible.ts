import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../units.js';
import type { Task } from './task.js';

/**
 * Polls until `read` finds something. A host's view of an NFS directory may be a minute old, and NFS clients also
 * cache that a name was *not* there; so one failed lookup does not prove that a file which the workflow knows of
 * is gone.
 * @returns undefined when nothing was found for as long as a cached view can last
 * @throws failure `Draining`, or the cancellation, when the task is to end
 */
export async function waitUntilVisible<T>(
  task: Task,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const startedAt = performance.now();
  for (let looks = 0; ;) {
    const found = await read();
    if (found !== undefined || performance.now() - startedAt >= task.times.observation) return found;
    if (looks++ === 0) task.heartbeat({ at: '', step: lookingFor(task.times.observation), fraction: null });
    await sleep(task.times.engineProgress, undefined, { signal: task.signal }).catch(() => undefined);
    task.throwIfCancelled();
  }
}

const lookingFor = (ms: number): string =>
  `finds no files of earlier phases: looks for up to ${duration(ms)}, as this host may see an old listing`;
