/** Reads the command lines of all processes on this machine (proc_pid_cmdline(5)). Does not access any mount. */
import { readdir, readFile } from 'node:fs/promises';
import { asTheyEnd } from '../as-they-end.js';
import { isErrno } from '../files.js';

export interface CommandLine {
  pid: number;
  words: string[];
}

/**
 * Max number of files open at a time: a host with hundreds of engines has more processes than a worker may open
 * files.
 */
const AT_ONCE = 16;

/**
 * All processes that are visible to this one. The command line is empty if a process exits meanwhile or hides it.
 * @throws any other error: an engine that could not be read must not count as gone
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
