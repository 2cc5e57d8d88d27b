import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 20;
const MOST_MS = 250;

/**
 * Waits until `condition` holds; the test's own time limit is the only one. It looks less and less often: what is not soon
 * there takes its time, and each look at a sector is work for the server and the orchestrator.
 */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let ms = FIRST_MS; !(await condition()); ms = Math.min(MOST_MS, ms * 1.5)) await sleep(ms);
}

/** Whether a process of that id lives (a zombie does not). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}
