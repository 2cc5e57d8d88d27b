/** How busy the disks of a directory are, measured over about a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { busiest, describeLoad, loadBetween, sampleDisks, type DiskLoad } from '../../machine/disk-load.js';
import { ok, skipped, warn, type Verdict } from '../finding.js';

const INTERVAL_MS = 1_000;

/** @param disks names as in /proc/diskstats */
export async function measureLoad(disks: readonly string[]): Promise<DiskLoad[]> {
  if (disks.length === 0) return [];
  const before = await sampleDisks();
  await sleep(INTERVAL_MS);
  return loadBetween(before, await sampleDisks(), disks);
}

const MAX_BUSY = 0.95;
const MAX_WAIT_MS = 200;

export function judgeLoad(loads: readonly DiskLoad[]): Verdict {
  const worst = busiest(loads);
  if (!worst) return skipped('not on a disk of this host');
  const found = describeLoad(worst);
  if (worst.busy < MAX_BUSY || worst.writeWaitMs < MAX_WAIT_MS) return ok(found);
  return warn(
    found,
    `write latency below ${MAX_WAIT_MS} ms, or a disk that is idle at times`,
    'watch it with `iostat -x 1`; run fewer P1 at once (num), add disks, or check that the right disk is mounted',
  );
}
