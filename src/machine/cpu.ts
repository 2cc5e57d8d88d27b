/** CPU model and features, from /proc/cpuinfo. */
import { readFile } from 'node:fs/promises';

export interface Cpu {
  /** The vendor's model name; empty if the kernel does not report it. */
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
