/** How many engines are at work on a group's sectors, looked at from outside by process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { findEngines } from '../../src/engines/find.js';
import { hostIdentity } from '../../src/engines/processes.js';
import type { Group, Pool } from './group.js';

const POLL_MS = 20;

/** Looks until the test ends. @returns the most that was seen at once for each pool, so far */
export async function sampleEngines(group: Group, pools: readonly Pool[]): Promise<() => number[]> {
  const self = await hostIdentity(group.ip(1));
  const most = pools.map(() => 0);
  const ending = new AbortController();
  const looking = (async () => {
    while (!ending.signal.aborted) {
      const engines = await findEngines(group.directory.root, self);
      for (const [i, [, ...phases]] of pools.entries()) {
        const count = engines.filter(({ attempt }) => phases.includes(attempt.phase)).length;
        most[i] = Math.max(most[i] ?? 0, count);
      }
      await sleep(POLL_MS);
    }
  })();
  onTestFinished(async () => {
    ending.abort();
    await looking;
  });
  return () => [...most];
}
