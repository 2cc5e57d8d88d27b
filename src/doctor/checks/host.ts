/** Resources of this host: SHA extensions, open files, memory. */
import type { Config } from '../../config.js';
import type { Cpu } from '../../machine/cpu.js';
import type { OpenFiles } from '../../machine/limits.js';
import { SECTOR_SIZES } from '../../phases.js';
import { fail, ok, skipped, warn, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';
import { declaredPhases, slotsOf } from './config.js';

export function judgeSha(config: Config, { model, sha }: Cpu): Verdict {
  if (!declaredPhases(config).includes('P1')) return skipped('P1 is not served here');
  if (sha) return ok(model || 'present');
  return warn(
    `${model || 'this processor'} has no SHA extensions`,
    'SHA-NI: P1 of 32 GiB takes 3 hours with it, 32 hours or more without',
    'run P1 on AMD Zen, Intel Ice Lake or newer; in a virtual machine, pass through the CPU flag sha_ni',
  );
}

/** The usual soft limit; lower limits are untested. */
const MIN_FILES = 1024;
/** Generous: covers a worker's connections and queues. */
const FILES_OF_WORKER = 1024;
/** Files for each engine that the worker starts or watches. */
const FILES_OF_SLOT = 8;

export function judgeOpenFiles(config: Config, { soft, hard }: OpenFiles): Verdict {
  const slots = config.pools.reduce((sum, pool) => sum + pool.slots, 0);
  const wanted = FILES_OF_WORKER + FILES_OF_SLOT * slots;
  const found = soft === hard ? `${soft}` : `${soft} (hard limit ${hard})`;
  if (soft >= wanted) return ok(found);
  const hint = 'LimitNOFILE=1048576 in the systemd unit, or `ulimit -n 1048576` before the worker';
  const verdict = soft < MIN_FILES ? fail : warn;
  return verdict(`${found} open files`, `${wanted} or more for ${slots} slots`, hint);
}

/**
 * P1 holds two layers in memory: the current and the previous one (storage-proofs-porep 19.1
 * `create_label/single.rs`, `layer_labels` and `exp_labels`).
 */
const LAYERS_IN_MEMORY = 2;

/** @param totalBytes memory of this host, or the limit of its container */
export function judgeMemoryOfP1(config: Config, totalBytes: number): Verdict {
  const slots = slotsOf(config, 'P1');
  if (slots === 0) return skipped('P1 is not served here');
  const needed = slots * LAYERS_IN_MEMORY * SECTOR_SIZES[config.size];
  if (totalBytes >= needed) return ok(`${gigabytes(totalBytes)} for ${gigabytes(needed)}`);
  const fitting = Math.floor(totalBytes / (LAYERS_IN_MEMORY * SECTOR_SIZES[config.size]));
  return fail(
    `${gigabytes(totalBytes)} of memory`,
    `${gigabytes(needed)}: two layers of ${config.size} for each P1 slot (${slots})`,
    fitting > 0 ? `set num of the P1 pool to ${fitting} or less` : 'serve P1 on a host with more memory',
  );
}

/**
 * P1 locks its two layers in memory if it may, so that they are not swapped out; it goes on if it may not.
 * @param room bytes that an engine may lock; Infinity: no limit
 */
export function judgeLockedMemory(config: Config, room: number): Verdict {
  if (slotsOf(config, 'P1') === 0) return skipped('P1 is not served here');
  const needed = LAYERS_IN_MEMORY * SECTOR_SIZES[config.size];
  if (room >= needed) return ok(room === Infinity ? 'no limit' : gigabytes(room));
  return warn(
    `${gigabytes(room)} may be locked in memory (ulimit -l)`,
    `${gigabytes(needed)}, two layers of ${config.size}: else they may be swapped out`,
    'LimitMEMLOCK=infinity in the systemd unit, or `ulimit -l unlimited` before the worker; nothing on a host without swap',
  );
}
