/** Continues a long-lived sector in a new run before its history exceeds the server's limits. */
import { allHandlersFinished, CancellationScope, condition, continueAsNew } from '@temporalio/workflow';
import type { SealInput, SealResult } from '../contract.js';
import type { SectorState } from './core/state.js';
import type { Sector } from './sector.js';

type SealSector = (input: SealInput, continued: SectorState) => Promise<SealResult>;

/**
 * Waits until the sector can continue as new, then ends this run. The next run starts from the same state, and its
 * activities adopt the engines that are still running. Accepted updates are part of the state; the server delivers
 * later ones to the next run. A cancellation does not end this wait: the passes handle it.
 * @throws ContinueAsNew, which only the workflow's main function may throw
 */
export async function continuedAsNew(sector: Sector, input: SealInput): Promise<never> {
  await CancellationScope.nonCancellable(() => condition(() => sector.continues && allHandlersFinished()));
  return await continueAsNew<SealSector>(input, sector.state);
}
