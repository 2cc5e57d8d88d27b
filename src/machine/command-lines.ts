/** What runs on this machine, by its command lines (proc_pid_cmdline(5)). Nothing is asked of any mount. */
import { readdir, readFile } from 'node:fs/promises';
import { asTheyEnd } from '../as-they-end.js';
import { isErrno } from '../files.js';

export interface CommandLine {
  pid: number;
  words: string[];
}

/** Files that are open for it at a time: a host with hundreds of engines has more processes than a worker may open files. */
const AT_ONCE = 16;

/**
 * All processes that this one may see; one that ends meanwhile, or hides its command line, has no words.
 * @throws any other error: an engine that was not looked at must not pass for one that is gone
 */
export async function commandLines(): Promise<CommandLine[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const found: CommandLine[] = [];
  for await (const line of asTheyEnd(pids, AT_ONCE, commandLineOf)) found.push(line);
  return found;
}

async function commandLineOf(pid: number): Promise<CommandLine> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return '';
    throw error;
  });
  return { pid, words: text.split('\0') };
}
