import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { SealInput, SealResult } from '../contract.js';
import { cleanSector, runPhase } from './run-phase.js';
import { seedKnown } from './from-upstream.js';
import { openSector } from './open-sector.js';
import type { Sector } from './sector.js';
import { answerMessages } from './messages.js';
import { stepping } from './step-back.js';
import { abortSector, stopEngines } from './stop.js';

/**
 * The story of one sector, from ticket to receipt.
 *
 * Files of finished phases stay where they are until P6; so whatever happens (a step back, a cancellation, a lost
 * database), telling the story again finds what is done and goes on behind it.
 *
 * @throws ApplicationFailure `InvalidInput` when the input is wrong, or the workflow's ID is not its sector's;
 *   `AlreadySealed` when there is nothing left to do; `Aborted` when an operator has ended it. All other troubles wait for a person (state needs-attention).
 */
export async function sealSector(input: SealInput): Promise<SealResult> {
  const sector = openSector(input);
  answerMessages(sector);
  try {
    return await stepping(sector, () => seal(sector));
  } catch (error) {
    const { abortAsked } = sector;
    if (abortAsked !== undefined) await shielded(() => abortSector(sector, abortAsked));
    else if (isCancellation(error)) await shielded(() => stopEngines(sector));
    throw error;
  }
}

const shielded = CancellationScope.nonCancellable.bind(CancellationScope);

async function seal(sector: Sector): Promise<SealResult> {
  await runPhase(sector, 'P1');
  await runPhase(sector, 'P2');
  await sector.commRAccepted();
  await seedKnown(sector);
  await runPhase(sector, 'P3');
  await both(runPhase(sector, 'P4'), runPhase(sector, 'P5'));
  return await cleanSector(sector);
}

/**
 * Waits until both have ended, also when one fails: P6 deletes what both of them read. The one that fails (with a step
 * back, nothing else fails a phase) stops the other through the scope that they share.
 */
async function both(proof: Promise<unknown>, copy: Promise<unknown>): Promise<void> {
  const stopOther = CancellationScope.current();
  const ends = [proof, copy].map((end) =>
    end.catch((error: unknown) => {
      stopOther.cancel();
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(ends)).filter((end) => end.status === 'rejected');
  // The cancellation of the other one is a consequence; the cause is what the sector must follow.
  const cause = failed.find((end) => !isCancellation(end.reason)) ?? failed[0];
  if (cause) throw cause.reason;
}
