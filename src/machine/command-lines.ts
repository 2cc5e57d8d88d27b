/** What runs on this machine, by its command lines (proc_pid_cmdline(5)). Nothing is asked of any mount. */
import { readdir, readFile } from 'node:fs/promises';

export interface CommandLine {
  pid: number;
  words: string[];
}

/** All processes that this one may see; one that ends meanwhile has no words. */
export async function commandLines(): Promise<CommandLine[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  return await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid, words: text.split('\0') };
    }),
  );
}
