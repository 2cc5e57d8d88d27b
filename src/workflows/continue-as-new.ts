/** A sector that has gone through much goes on in a new run, so that its history stays short enough for the server. */
import { allHandlersFinished, CancellationScope, condition, continueAsNew } from '@temporalio/workflow';
import type { SealInput, SealResult } from '../contract.js';
import type { SectorState } from './core/state.js';
import type { Sector } from './sector.js';

type SealSector = (input: SealInput, continued: SectorState) => Promise<SealResult>;

/**
 * Ends the run when the sector has come to a point where it can: the next one knows all that this one knew, and its activities
 * find the engines that go on. Updates that were taken in are in the state; one that comes too late is sent to the next run by
 * the server. A cancellation is left to the story, which ends with what it has under way.
 * @throws ContinueAsNew, which only the workflow's main function may throw
 */
export async function continuedAsNew(sector: Sector, input: SealInput): Promise<never> {
  await CancellationScope.nonCancellable(() => condition(() => sector.continues && allHandlersFinished()));
  return await continueAsNew<SealSector>(input, sector.state);
}
