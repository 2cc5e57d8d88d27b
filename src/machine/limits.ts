/** Limits of this process, as the kernel tells them (proc_pid_limits(5)). */
import { readFile } from 'node:fs/promises';

/** How many files a process may have open; Infinity where there is no limit. */
export interface OpenFiles {
  soft: number;
  hard: number;
}

/** Node raises its own soft limit to the hard one when it starts, and hands that on to the engines. */
export const openFilesLimit = async (): Promise<OpenFiles> =>
  parseOpenFiles(await readFile('/proc/self/limits', 'utf8'));

export function parseOpenFiles(limits: string): OpenFiles {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  return { soft: count(soft), hard: count(hard) };
}

const count = (text = 'unlimited'): number => (text === 'unlimited' ? Infinity : Number(text));
