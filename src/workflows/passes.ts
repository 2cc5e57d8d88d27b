/** A sector is sealed in passes: a step back ends one, and the next reuses the results that remain. */
import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { Sector } from './sector.js';

/**
 * Runs `pass` until it completes, once more after each step back. The activities of a pass are cancelled and
 * awaited before the next one begins. More step backs may be requested meanwhile; all of them are applied.
 * @returns what the pass returns
 * @throws what the pass throws; a cancellation also when an abort ended it
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
        // A cancelled sector ignores pending step backs.
        throw isCancellation(error) ? error : new CancelledFailure('cancelled');
      }
      if (pendingStepBacks.length === 0) throw error;
      sector.dispatch({ type: 'rewound', now: Date.now() });
    }
  }
}

/** Blocks a phase that has asked for a step back until its pass is cancelled. @throws that cancellation */
export async function untilPassEnds(): Promise<never> {
  return await CancellationScope.current().cancelRequested;
}

/**
 * Waits until both have ended, even if one fails: P6 deletes what both of them read. If one fails, it cancels the
 * other through the scope that they share.
 * @throws the failure, not the cancellation that it caused
 */
export async function both(proof: Promise<unknown>, copy: Promise<unknown>): Promise<void> {
  const scope = CancellationScope.current();
  const guarded = [proof, copy].map((phase) =>
    phase.catch((error: unknown) => {
      scope.cancel();
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(guarded)).filter((end) => end.status === 'rejected');
  // A cancellation is only the consequence; report the failure that caused it.
  const cause = failed.find(({ reason }) => !isCancellation(reason)) ?? failed[0];
  if (cause) throw cause.reason;
}
