/** Memory for P4, reckoned before it starts: a SNARK that meets the OOM killer has lost its hour, and perhaps its neighbours. */
import { readFile } from 'node:fs/promises';
import { memoryOfHost } from '../machine/memory-limit.js';
import type { SectorSize } from '../phases.js';
import { gigabytes } from '../units.js';

/** Partitions of a sector's proof (filecoin-proofs `constants.rs`, POREP_PARTITIONS). */
const PARTITIONS: Record<SectorSize, number> = {
  '2KiB': 1,
  '8MiB': 1,
  '512MiB': 1,
  '32GiB': 10,
  '64GiB': 10,
};

/**
 * Bytes of memory for one partition at a time. Measured: 2KiB; told by operators: 32GiB, and 64GiB has the same circuit. 8MiB has
 * constraints for the same FFT domain as 2KiB (2^22); 512MiB is reckoned from its parameters, which are twice as many bytes.
 */
const PARTITION_BYTES: Record<SectorSize, number> = {
  '2KiB': 2.7e9,
  '8MiB': 2.7e9,
  '512MiB': 5.4e9,
  '32GiB': 30e9,
  '64GiB': 30e9,
};

/** How many partitions are proved at a time: BELLMAN_PROOF_THREADS, else all (engine/src/batches.rs). */
export function partitionsAtOnce(size: SectorSize, environment: NodeJS.ProcessEnv): number {
  const set = Number(environment['BELLMAN_PROOF_THREADS']);
  return Number.isInteger(set) && set > 0 ? Math.min(set, PARTITIONS[size]) : PARTITIONS[size];
}

/** Bytes of memory that one P4 takes. */
export const p4Bytes = (size: SectorSize, environment: NodeJS.ProcessEnv): number =>
  partitionsAtOnce(size, environment) * PARTITION_BYTES[size];

/** Bytes that processes can still take without swapping: of this host, or of a cgroup where that is less. */
export const availableMemory = async (): Promise<number> => (await memoryOfHost()).available;

export interface P4MemoryOptions {
  size: SectorSize;
  /** Of the engine. */
  environment: NodeJS.ProcessEnv;
  /** Engines of P4 that live on this host, whoever has begun them: process ID by sector (`s-t01000-7`). */
  live: () => ReadonlyMap<string, number>;
  available?: () => Promise<number>;
  rssOf?: (pid: number) => Promise<number>;
}

/** Which P4s are at work on this host: the rest of what each needs is not there for another. */
export class P4Memory {
  /** Those that are about to start, until their engines are seen. */
  private readonly begun = new Map<object, string>();

  constructor(private readonly options: P4MemoryOptions) {}

  /**
   * Reserves the memory of a sector's P4.
   * @returns a function that gives it back, to be called when its engine has ended or was let go; or why it is not there
   */
  async reserve(sector: string): Promise<(() => void) | string> {
    const { size, environment, available = availableMemory } = this.options;
    const needed = p4Bytes(size, environment);
    const own = {};
    // Before the next await: of two at once the second must see the first.
    this.begun.set(own, sector);
    const free = await available();
    const promised = await this.promised(needed, own);
    if (free - promised >= needed) return () => void this.begun.delete(own);
    this.begun.delete(own);
    const atOnce = partitionsAtOnce(size, environment);
    return (
      `P4 of a ${size} sector takes ${gigabytes(needed)} of memory with ${atOnce} of ${PARTITIONS[size]} partitions at a time ` +
      `(BELLMAN_PROOF_THREADS), ${gigabytes(free)} are available, ${gigabytes(promised)} of them promised`
    );
  }

  /** What the P4s of this host have still to take. */
  private async promised(needed: number, own: object): Promise<number> {
    const { live, rssOf = rssBytes } = this.options;
    const engines = live();
    const taken = await Promise.all([...engines.values()].map(rssOf));
    const begun = [...this.begun];
    const before = begun.slice(
      0,
      begun.findIndex(([token]) => token === own),
    );
    const unseen = before.filter(([, sector]) => !engines.has(sector));
    return taken.reduce((sum, rss) => sum + Math.max(0, needed - rss), unseen.length * needed);
  }
}

/** Resident memory of a process; 0 when it is not there. */
async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
