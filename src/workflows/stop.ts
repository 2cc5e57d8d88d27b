/**
 * Ends a sector early: cancel and abort. Both run in a non-cancellable scope, on a queue that all workers of the
 * group serve.
 */
import { ApplicationFailure, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import { BEGUN, controlQueue, type SealActivities, type StopInput } from '../contract.js';
import { failureOf } from './failure-of.js';
import type { Sector } from './sector.js';

/**
 * After a cancellation: raises the sector's epoch, so that this run can start nothing more, and waits until its
 * engines have ended. If no worker of the group is there for ten minutes, the run ends anyway: the next start
 * claims a higher epoch, which also ends the engines.
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
 * Deletes the sector once its engines have certainly ended, however long that takes: the server retries anything
 * that may pass or that a person can fix.
 * @throws ApplicationFailure always: `Aborted` when done, `ClaimedByOther` when another run has claimed the sector
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
