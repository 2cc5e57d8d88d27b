/** How much memory `sealflow dev` needs, and whether this process may use as much. */
import type { Memory } from '../machine/memory-limit.js';
import type { Lack } from '../machine/tools.js';
import type { SectorSize } from '../phases.js';
import { gigabytes } from '../units.js';
import { p4Bytes } from '../workers/memory.js';

/**
 * What server, orchestrator and the worker take beside P4, measured: 0.45 GB that cannot be reclaimed. P4 is handed back for ever
 * when they leave it too little.
 */
const PROCESSES_BYTES = 0.5e9;

/** Bytes that must be available before the first process is started. All phases before P4 take less than it. */
export const devBytes = (size: SectorSize, environment: NodeJS.ProcessEnv): number =>
  p4Bytes(size, environment) + PROCESSES_BYTES;

/** @param environment the engine's @returns none if the memory does for sectors of this size, one P4 at a time */
export function lackOfMemory(size: SectorSize, environment: NodeJS.ProcessEnv, memory: Memory): Lack[] {
  const needed = devBytes(size, environment);
  if (memory.available >= needed) return [];
  const what = `sealing a ${size} sector needs ${gigabytes(needed)} of memory: ${describeAvailable(memory)}`;
  return [{ what, mend: mendOf(memory, needed) }];
}

const describeAvailable = ({ total, available, limitedBy }: Memory): string =>
  limitedBy === undefined
    ? `${gigabytes(available)} of ${gigabytes(total)} available`
    : `${gigabytes(available)} available below the limit of ${limitedBy}`;

function mendOf({ total, limitedBy }: Memory, needed: number): string {
  if (limitedBy !== undefined) {
    const limit = 'raise the memory limit of the container or unit (docker run --memory, MemoryMax=)';
    return `${limit}, or end other programs in it`;
  }
  return total >= needed ? 'end other programs' : 'use a machine with more memory';
}
