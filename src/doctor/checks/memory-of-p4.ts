/** Whether the partitions that P4 proves concurrently fit into memory. */
import type { Config } from '../../config.js';
import { gigabytes } from '../../units.js';
import { p4Bytes, partitionsAtOnce } from '../../workers/memory.js';
import { fail, ok, skipped, type Verdict } from '../finding.js';
import { slotsOf } from './config.js';

/**
 * @param environment as the engine will get it
 * @param totalBytes memory of this host, or the limit of its container
 */
export function judgeMemoryOfP4(config: Config, environment: NodeJS.ProcessEnv, totalBytes: number): Verdict {
  const { size } = config;
  const slots = slotsOf(config, 'P4');
  if (slots === 0) return skipped('P4 is not served here');
  const threads = environment['BELLMAN_PROOF_THREADS']?.trim();
  if (threads && !/^0*[1-9][0-9]*$/.test(threads)) {
    return fail(
      `BELLMAN_PROOF_THREADS = ${threads}`,
      'a whole number above 0: P4 rejects anything else',
      'correct it in [engine.environment] of config.toml or in the unit',
    );
  }
  const needed = slots * p4Bytes(size, environment);
  if (totalBytes >= needed) return ok(`${gigabytes(totalBytes)} for ${gigabytes(needed)}`);
  const atOnce = partitionsAtOnce(size, environment);
  const all = partitionsAtOnce(size, {});
  const fitting = Math.floor(totalBytes / (slots * (p4Bytes(size, environment) / atOnce)));
  return fail(
    `${gigabytes(totalBytes)} of memory`,
    `${gigabytes(needed)}: ${atOnce} partition${atOnce > 1 ? 's' : ''} at once for each P4 slot (${slots})`,
    fitting > 0 && all > 1
      ? `set BELLMAN_PROOF_THREADS to ${fitting} or less (of ${all}; P4 gets slower in proportion), or lower num`
      : 'lower num of the P4 pool, or serve P4 on a host with more memory',
  );
}
