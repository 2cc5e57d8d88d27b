/** The sector's story is told in passes: a step back ends one, and the next finds what is still done and goes on from there. */
import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { Sector } from './sector.js';

/**
 * Runs `pass` until it comes to its end, once more after each step back. All that a pass has under way is cancelled and
 * awaited before the next one begins; meanwhile another step back may be asked for, so all of them are followed.
 * @throws what the pass throws; a cancellation also when an abort has ended it.
 */
export async function inPasses<T>(sector: Sector, pass: () => Promise<T>): Promise<T> {
  for (;;) {
    const scope = new CancellationScope();
    sector.endPass = () => scope.cancel();
    try {
      return await scope.run(pass);
    } catch (error) {
      const { abortReason, pendingStepBacks } = sector.state;
      if (CancellationScope.current().consideredCancelled || abortReason !== undefined) {
        // A cancelled sector steps back no more, whatever its phases have asked for.
        throw isCancellation(error) ? error : new CancelledFailure('cancelled');
      }
      if (pendingStepBacks.length === 0) throw error;
      sector.dispatch({ type: 'rewound', now: Date.now() });
    }
  }
}

/** For a phase that has asked for a step back itself: its pass ends. @throws the cancellation of the pass */
export async function untilPassEnds(): Promise<never> {
  return await CancellationScope.current().cancelRequested;
}

/**
 * Waits until both have ended, also when one fails: P6 deletes what both of them read. The one that fails stops the other through
 * the scope that they share.
 */
export async function both(proof: Promise<unknown>, copy: Promise<unknown>): Promise<void> {
  const scope = CancellationScope.current();
  const ends = [proof, copy].map((end) =>
    end.catch((error: unknown) => {
      scope.cancel();
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(ends)).filter((end) => end.status === 'rejected');
  // The cancellation of the other one is a consequence; the cause is what the sector must follow.
  const cause = failed.find((end) => !isCancellation(end.reason)) ?? failed[0];
  if (cause) throw cause.reason;
}
