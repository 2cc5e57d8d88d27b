/** Resource limits of this process (proc_pid_limits(5)). */
import { readFile } from 'node:fs/promises';

/** Max number of open files; Infinity if unlimited. */
export interface OpenFiles {
  soft: number;
  hard: number;
}

/** At start Node raises its soft limit to the hard limit; engines inherit it. */
export const openFilesLimit = async (): Promise<OpenFiles> =>
  parseOpenFiles(await readFile('/proc/self/limits', 'utf8'));

export function parseOpenFiles(limits: string): OpenFiles {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  return { soft: count(soft), hard: count(hard) };
}

const count = (text = 'unlimited'): number => (text === 'unlimited' ? Infinity : Number(text));
