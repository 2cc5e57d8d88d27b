/** How busy the disks of a directory are, over about a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { busiest, describeLoad, loadBetween, sampleDisks, type DiskLoad } from '../../machine/disk-load.js';
import { ok, skipped, warn, type Verdict } from '../finding.js';

const INTERVAL_MS = 1_000;

/** @param disks names, as in /proc/diskstats */
export async function measureLoad(disks: readonly string[]): Promise<DiskLoad[]> {
  if (disks.length === 0) return [];
  const before = await sampleDisks();
  await sleep(INTERVAL_MS);
  return loadBetween(before, await sampleDisks(), disks);
}

const BUSY = 0.95;
const LONG_WAIT_MS = 200;

export function judgeLoad(loads: readonly DiskLoad[]): Verdict {
  const worst = busiest(loads);
  if (!worst) return skipped('no disk of this host is behind it');
  const found = describeLoad(worst);
  if (worst.busy < BUSY || worst.writeWaitMs < LONG_WAIT_MS) return ok(found);
  return warn(
    found,
    `writes that wait for less than ${LONG_WAIT_MS} ms, or a disk that is idle at times`,
    '`iostat -x 1` shows it over time: fewer P1 at once (num), more disks, or the wrong disk is mounted',
  );
}
