/** What the processor can do, as /proc/cpuinfo tells it. */
import { readFile } from 'node:fs/promises';

export interface Cpu {
  /** As its maker names it; empty where the kernel does not say. */
  model: string;
  /** SHA-256 in hardware: x86 `sha_ni`, ARM `sha2`. */
  sha: boolean;
}

export const readCpu = async (): Promise<Cpu> => parseCpu(await readFile('/proc/cpuinfo', 'utf8'));

export function parseCpu(cpuinfo: string): Cpu {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' ') ?? [];
  return {
    model: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '',
    sha: flags.includes('sha_ni') || flags.includes('sha2'),
  };
}
