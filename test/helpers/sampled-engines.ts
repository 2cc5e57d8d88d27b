/** How many engines are at work on a group's sectors, looked at from outside by process. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Group, Pool } from './group.js';

const POLL_MS = 20;

/** Looks until the test ends. @returns the most that was seen at once for each pool, so far */
export function sampleEngines(group: Group, pools: readonly Pool[]): () => number[] {
  const most = pools.map(() => 0);
  const ending = new AbortController();
  const looking = (async () => {
    while (!ending.signal.aborted) {
      const engines = phasesAtWork(group.directory.root);
      for (const [i, [, ...phases]] of pools.entries()) {
        const count = engines.filter((engine) => phases.some((phase) => phase === engine)).length;
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

/** The phase of each engine below a directory. Not as a worker looks, by thread: so often, that costs a third of a core. */
function phasesAtWork(root: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return pids.flatMap((pid) => {
    const words = commandLineOf(pid).split('\0');
    const attempt = words[words.lastIndexOf('run') + 1] ?? '';
    const [, phase] = /\/(P[1-6])-[0-9]+$/.exec(attempt) ?? [];
    return phase && attempt.startsWith(join(root, 'nfs')) ? [phase] : [];
  });
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}
