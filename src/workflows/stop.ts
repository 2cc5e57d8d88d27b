/** What ends a sector before its time. Both run in a shielded scope, on the queue that every worker of the group serves. */
import { ApplicationFailure, proxyActivities, sleep, type ActivityOptions } from '@temporalio/workflow';
import { CONTRACT_VERSION, controlQueue, type SealActivities, type StopInput } from '../contract.js';
import { failureOf, NOT_FOR_TEMPORAL } from './failure-of.js';
import { BEGUN } from './run-phase.js';
import type { Sector } from './sector.js';

/**
 * After a cancellation: raises the sector's epoch, so that nothing of this run can start any more, and waits until its
 * engines have ended. Without a worker of the group for ten minutes the run ends all the same: the next start claims a
 * higher epoch, which ends the engines too.
 */
export async function stopEngines(sector: Sector): Promise<void> {
  sector.ends('stopping');
  const { stopSector } = proxyActivities<SealActivities>({
    ...optionsOf(sector, 'stop engines'),
    scheduleToCloseTimeout: sector.times.stopMost,
  });
  try {
    await stopSector(stopInput(sector, 'cancelled'));
  } catch (error) {
    if (!failureOf(error)) throw error;
  }
}

/**
 * Deletes the sector once its engines have certainly ended, however long that takes.
 * @throws ApplicationFailure `Aborted`, which is how the run ends.
 */
export async function abortSector(sector: Sector, why: string): Promise<never> {
  sector.ends('aborting');
  const { abortSector: abort } = proxyActivities<SealActivities>({
    ...optionsOf(sector, 'abort'),
    retry: { initialInterval: sector.times.noSlotFirst, nonRetryableErrorTypes: NOT_FOR_TEMPORAL },
  });
  const { backoffFirst, backoffMost } = sector.times;
  for (let tries = 0; ; tries++) {
    try {
      const { bytesFreed } = await abort(stopInput(sector, `aborted: ${why}`));
      sector.ends('aborted');
      throw ApplicationFailure.nonRetryable(`${why}; ${bytesFreed} bytes freed`, 'Aborted');
    } catch (error) {
      const failed = failureOf(error);
      if (!failed) throw error;
      sector.failed('P6', failed);
      await sleep(Math.min(backoffFirst * 2 ** tries, backoffMost));
    }
  }
}

const stopInput = ({ seal, claim }: Sector, why: string): StopInput => ({
  v: CONTRACT_VERSION,
  seal,
  claim,
  why,
});

const optionsOf = ({ seal, times }: Sector, what: string): ActivityOptions => ({
  taskQueue: controlQueue(seal.group),
  startToCloseTimeout: times.stopMost,
  heartbeatTimeout: times.heartbeatTimeout,
  summary: `${seal.sector} ${what}`,
  priority: { priorityKey: BEGUN },
});
