import { readdir, readFile } from 'node:fs/promises';
import { isAlive } from './eventually.js';

/** Processes other than this one that have `text` in their command lines. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(text) && (await isAlive(pid)) ? [pid] : [];
    }),
  );
  return found.flat();
}
