import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { CONTRACT_VERSION, type SealInput, type SealResult } from '../contract.js';
import { proofHasLanded, seedIsThere, ticketIsThere } from './chain.js';
import { continuedAsNew } from './continue-as-new.js';
import type { SectorState } from './core/state.js';
import { hasChangedCommR } from './core/state.js';
import { openSector } from './open-sector.js';
import { both, inPasses } from './passes.js';
import { cleanSector, runPhase } from './run-phase.js';
import type { Sector } from './sector.js';
import { abortSector, stopEngines } from './stop.js';
import { answerUpdates } from './updates.js';

/**
 * Seals one sector, from ticket to receipt.
 *
 * Files of finished phases stay in place until P6. So after a step back, a cancellation or the loss of Temporal's
 * database, running the workflow again finds what is done and resumes from there.
 *
 * @param continued the state of the previous run, if the workflow has continued as new
 * @returns the receipt's values, and how much scratch was freed
 * @throws ApplicationFailure `InvalidInput` when the input is wrong or the workflow ID is not the sector's;
 *   `AlreadySealed` when there is nothing left to do; `Aborted` when an operator aborted it. Any other problem
 *   waits for a person (state needs-attention).
 */
export async function sealSector(input: SealInput, continued?: SectorState): Promise<SealResult> {
  const sector = openSector(input, continued);
  answerUpdates(sector);
  try {
    return await Promise.race([inPasses(sector, () => seal(sector)), continuedAsNew(sector, input)]);
  } catch (error) {
    const { abortReason } = sector.state;
    if (abortReason !== undefined) await shielded(() => abortSector(sector, abortReason));
    else if (isCancellation(error)) await shielded(() => stopEngines(sector));
    throw error;
  }
}

const shielded = CancellationScope.nonCancellable.bind(CancellationScope);

async function seal(sector: Sector): Promise<SealResult> {
  await ticketIsThere(sector);
  await runPhase(sector, 'P1');
  await runPhase(sector, 'P2');
  await sector.until((state) => !hasChangedCommR(state));
  await seedIsThere(sector);
  await runPhase(sector, 'P3');
  await both(runPhase(sector, 'P4'), runPhase(sector, 'P5'));
  await proofHasLanded(sector);
  return resultOf(sector, await cleanSector(sector));
}

function resultOf(
  { state }: Sector,
  { storage, bytesFreed }: Pick<SealResult, 'storage' | 'bytesFreed'>,
): SealResult {
  const { P2, P4 } = state.results;
  return {
    v: CONTRACT_VERSION,
    sector: state.seal.sector,
    commR: P2?.commR ?? '',
    commD: P2?.commD ?? '',
    proof: P4?.proof ?? '',
    storage,
    bytesFreed,
  };
}
