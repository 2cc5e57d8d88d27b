/** Resources of this host: cores, SHA extensions, open files, memory. */
import type { Config } from '../../config.js';
import type { Cpu } from '../../machine/cpu.js';
import type { OpenFiles } from '../../machine/limits.js';
import { SECTOR_SIZES } from '../../phases.js';
import { UserError } from '../../user-error.js';
import { divideCores } from '../../workers/cores.js';
import { fail, ok, skipped, warn, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';
import { declaredPhases, slotsOf } from './config.js';

/** @param allowed CPUs in this process' affinity mask */
export function judgeCores(config: Config, allowed: readonly number[]): Verdict {
  const served = declaredPhases(config);
  if (!served.includes('P2') && !served.includes('P3')) return ok(`${allowed.length}, no P2 or P3`);
  try {
    const { P1: p1, P2: wide = [] } = divideCores(config, [...allowed]);
    const forP1 = p1 ? `, ${p1.length} for P1` : '';
    return ok(`${wide.length} of ${allowed.length} for P2 and P3${forP1}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return fail(error.message, 'at least one core for P2 and P3', error.hint ?? '');
  }
}

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
