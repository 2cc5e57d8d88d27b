/** Reserves memory before P4 starts: an OOM kill costs a SNARK's hour of work, and may hit other engines too. */
import { readFile } from 'node:fs/promises';
import { memoryOfHost } from '../machine/memory-limit.js';
import type { SectorSize } from '../phases.js';
import { gigabytes } from '../units.js';

/** Partitions of a sector's PoRep proof (filecoin-proofs `constants.rs`, POREP_PARTITIONS). */
const PARTITIONS: Record<SectorSize, number> = {
  '2KiB': 1,
  '8MiB': 1,
  '512MiB': 1,
  '32GiB': 10,
  '64GiB': 10,
};

/**
 * Bytes of memory per partition that is proved at the same time. 2KiB is measured: 1.67 GB that cannot be reclaimed, 1.76 GB with 16
 * threads. The parameters that it maps besides (1.1 GB) do not count: they are read once, and a limit of 1.7 GB made P4 no slower.
 * 32GiB was reported by operators, and 64GiB has the same circuit. 8MiB has the same FFT domain as 2KiB (2^22); 512MiB is not
 * measured: twice 2KiB with its parameters.
 */
const PARTITION_BYTES: Record<SectorSize, number> = {
  '2KiB': 1.8e9,
  '8MiB': 1.8e9,
  '512MiB': 5.4e9,
  '32GiB': 30e9,
  '64GiB': 30e9,
};

/** How many partitions are proved at the same time: BELLMAN_PROOF_THREADS, default all (engine/src/batches.rs). */
export function partitionsAtOnce(size: SectorSize, environment: NodeJS.ProcessEnv): number {
  const threads = Number(environment['BELLMAN_PROOF_THREADS']);
  return Number.isInteger(threads) && threads > 0 ? Math.min(threads, PARTITIONS[size]) : PARTITIONS[size];
}

/** Bytes of memory that one P4 needs. */
export const p4Bytes = (size: SectorSize, environment: NodeJS.ProcessEnv): number =>
  partitionsAtOnce(size, environment) * PARTITION_BYTES[size];

function describePartitions(size: SectorSize, environment: NodeJS.ProcessEnv): string {
  if (PARTITIONS[size] === 1) return '';
  const atOnce = partitionsAtOnce(size, environment);
  return ` with ${atOnce} of ${PARTITIONS[size]} partitions at a time (BELLMAN_PROOF_THREADS)`;
}

/** Bytes that processes can still allocate without swapping: the host's, or a cgroup's if that is less. */
export const availableMemory = async (): Promise<number> => (await memoryOfHost()).available;

export interface P4MemoryOptions {
  size: SectorSize;
  /** The engine's environment. */
  environment: NodeJS.ProcessEnv;
  /** P4 engines that run on this host, whichever worker started them: process ID by sector (`s-t01000-7`). */
  live: () => ReadonlyMap<string, number>;
  available?: () => Promise<number>;
  takenBy?: (pid: number) => Promise<number>;
}

/** Memory reservations of the P4s on this host: what each still needs is not available to another. */
export class P4Memory {
  /** Sector by reservation. Counted until the sector's engine appears in `live`. */
  private readonly starting = new Map<object, string>();

  constructor(private readonly options: P4MemoryOptions) {}

  /**
   * Reserves the memory of a sector's P4.
   * @returns a function that releases the reservation, to be called when the engine has ended or was left
   * running; or, as a string, the reason why there is not enough memory
   */
  async reserve(sector: string): Promise<(() => void) | string> {
    const { size, environment, available = availableMemory } = this.options;
    const needed = p4Bytes(size, environment);
    const token = {};
    // Before the first await: of two concurrent calls the second must see the first.
    this.starting.set(token, sector);
    const free = await available();
    const reserved = await this.reservedBytes(needed, token);
    if (free - reserved >= needed) return () => void this.starting.delete(token);
    this.starting.delete(token);
    return (
      `P4 of a ${size} sector needs ${gigabytes(needed)} of memory${describePartitions(size, environment)}: ` +
      `${gigabytes(free)} available${reserved > 0 ? `, ${gigabytes(reserved)} of that reserved` : ''}`
    );
  }

  /** Bytes that the P4s of this host will still allocate, without reservations made after `token`. */
  private async reservedBytes(needed: number, token: object): Promise<number> {
    const { live, takenBy = takenBytes } = this.options;
    const engines = live();
    const taken = await Promise.all([...engines.values()].map(takenBy));
    const starting = [...this.starting];
    const earlier = starting.slice(
      0,
      starting.findIndex(([other]) => other === token),
    );
    const withoutEngine = earlier.filter(([, sector]) => !engines.has(sector));
    return taken.reduce((sum, bytes) => sum + Math.max(0, needed - bytes), withoutEngine.length * needed);
  }
}

/**
 * Bytes of memory of a process that cannot be reclaimed; 0 if it does not exist. Without mapped files: P4 maps its parameters, which
 * are page cache, and so count as available.
 */
export async function takenBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+([0-9]+) kB$/gm)].map(([, count]) =>
    Number(count),
  );
  return kilobytes.reduce((sum, count) => sum + count, 0) * 1024;
}
