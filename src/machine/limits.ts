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

/** Bytes of memory that a process may lock; Infinity if unlimited. Engines raise their soft limit to the hard one. */
export const lockedMemoryRoom = async (): Promise<number> =>
  parseLockedMemory(await readFile('/proc/self/limits', 'utf8'), await readFile('/proc/self/status', 'utf8'));

/** Whoever has it may lock any number of bytes (capabilities(7)). */
const CAP_IPC_LOCK = 14n;

export function parseLockedMemory(limits: string, status: string): number {
  const [, capabilities = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(status) ?? [];
  if (((BigInt(`0x${capabilities}`) >> CAP_IPC_LOCK) & 1n) === 1n) return Infinity;
  const [, hard] = /^Max locked memory\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  return count(hard);
}

const count = (text = 'unlimited'): number => (text === 'unlimited' ? Infinity : Number(text));
