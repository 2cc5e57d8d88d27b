import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from './task.js';

/**
 * Looks until there is something to see. A host's view of an NFS directory may be a minute old, and it remembers that a name
 * was *not* there; so what the workflow knows to be there is not gone because one look does not find it.
 * @returns undefined when it has not been seen for as long as a view can be old
 * @throws failure `Draining`, or the cancellation, when the task is to end
 */
export async function waitUntilVisible<T>(
  task: Task,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined || performance.now() - began >= task.times.observation) return seen;
    await sleep(task.times.engineProgress, undefined, { signal: task.signal }).catch(() => undefined);
    task.throwIfCancelled();
  }
}
