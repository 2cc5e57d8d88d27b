/** What ends a sector before its time. Both run in a shielded scope, on the queue that every worker of the group serves. */
import { ApplicationFailure, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import { BEGUN, controlQueue, type SealActivities, type StopInput } from '../contract.js';
import { failureOf } from './failure-of.js';
import type { Sector } from './sector.js';

/**
 * After a cancellation: raises the sector's epoch, so that nothing of this run can start any more, and waits until its
 * engines have ended. Without a worker of the group for ten minutes the run ends all the same: the next start claims a
 * higher epoch, which ends the engines too.
 */
export async function stopEngines(sector: Sector): Promise<void> {
  sector.dispatch({ type: 'ending', state: 'stopping' });
  const { stopSector } = proxyActivities<SealActivities>({
    ...controlOptions(sector, 'stop engines'),
    scheduleToCloseTimeout: sector.times.stopMax,
  });
  try {
    await stopSector(stopInput(sector, 'cancelled'));
  } catch (error) {
    if (!failureOf(error)) throw error;
  }
  sector.dispatch({ type: 'ending', state: 'stopped' });
}

/**
 * Deletes the sector once its engines have certainly ended, however long that takes: whatever passes or waits for a person is tried
 * again at the server.
 * @throws ApplicationFailure `Aborted`, which is how the run ends; `ClaimedByOther` when the sector is another run's
 */
export async function abortSector(sector: Sector, why: string): Promise<never> {
  sector.dispatch({ type: 'ending', state: 'aborting' });
  const { abortSector: abort } = proxyActivities<SealActivities>(controlOptions(sector, 'abort'));
  let message: string;
  try {
    const { bytesFreed } = await abort(stopInput(sector, `aborted: ${why}`));
    message = `${why}; ${bytesFreed} bytes freed`;
  } catch (error) {
    const failure = failureOf(error);
    if (!failure) throw error;
    sector.dispatch({ type: 'abortRefused', failure });
    throw ApplicationFailure.nonRetryable(failure.message, failure.type);
  }
  sector.dispatch({ type: 'ending', state: 'aborted' });
  throw ApplicationFailure.nonRetryable(message, 'Aborted');
}

const stopInput = (sector: Sector, why: string): StopInput => ({ ...sector.common(), why });

const controlOptions = ({ state: { seal }, times }: Sector, what: string): ActivityOptions => ({
  taskQueue: controlQueue(seal.group),
  startToCloseTimeout: times.stopMax,
  heartbeatTimeout: times.heartbeatTimeout,
  retry: { initialInterval: times.noSlotFirst, maximumInterval: times.noRoomMax },
  summary: `${seal.sector} ${what}`,
  priority: { priorityKey: BEGUN },
});
