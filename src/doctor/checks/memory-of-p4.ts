/** Whether the partitions that P4 proves at a time fit into memory. */
import type { Config } from '../../config.js';
import type { SectorSize } from '../../phases.js';
import { fail, ok, skipped, type Verdict } from '../finding.js';
import { gigabytes } from '../units.js';
import { slotsOf } from './config.js';

/** Bytes for each partition that is proved at a time, and how many partitions a proof has. */
const PROOF: Record<SectorSize, { partitions: number; bytes: number }> = {
  // Measured at 2 KiB; the circuits of 8 and 512 MiB have the same domain (2^22).
  '2KiB': { partitions: 1, bytes: 2.7e9 },
  '8MiB': { partitions: 1, bytes: 2.7e9 },
  '512MiB': { partitions: 1, bytes: 2.7e9 },
  // As operators know it.
  '32GiB': { partitions: 10, bytes: 30e9 },
  '64GiB': { partitions: 10, bytes: 30e9 },
};

/**
 * @param threads BELLMAN_PROOF_THREADS as the engine will find it; undefined: all partitions at a time
 * @param totalBytes of this host, or what its container may use
 */
export function judgeMemoryOfP4(config: Config, threads: string | undefined, totalBytes: number): Verdict {
  const slots = slotsOf(config, 'P4');
  if (slots === 0) return skipped('P4 is not served here');
  const { partitions, bytes } = PROOF[config.size];
  const given = threads === undefined || threads === '' ? partitions : Number(threads);
  if (!Number.isInteger(given) || given < 1) {
    return fail(
      `BELLMAN_PROOF_THREADS = ${threads}`,
      'a whole number above 0',
      'correct it in [engine.environment] of config.toml or in the unit',
    );
  }
  const atATime = Math.min(given, partitions);
  const needed = slots * atATime * bytes;
  if (totalBytes >= needed) return ok(`${gigabytes(totalBytes)} for ${gigabytes(needed)}`);
  const fitting = Math.floor(totalBytes / (slots * bytes));
  return fail(
    `${gigabytes(totalBytes)} of memory`,
    `${gigabytes(needed)}: ${atATime} partition${atATime > 1 ? 's' : ''} at a time for each of ${slots} P4`,
    fitting > 0 && partitions > 1
      ? `set BELLMAN_PROOF_THREADS to ${fitting} or less (of ${partitions}; it takes longer by so much), or num lower`
      : 'set num of the P4 pool lower, or serve P4 on a host with more memory',
  );
}
