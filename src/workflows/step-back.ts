import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { PhaseId } from '../phases.js';
import type { Sector } from './sector.js';

/** The sector has to go on from an earlier phase. Thrown by a phase, or asked for by an operator. */
export class StepBack extends Error {
  constructor(
    readonly to: PhaseId,
    readonly reason: string,
    /**
     * `one`: only the result of `to` is void, later ones still count if they fit; `all`: from `to` on; `none`: nothing on
     * disk is void, but another input asks for other results.
     */
    readonly voids: 'one' | 'all' | 'none',
  ) {
    super(`back to ${to}: ${reason}`);
    this.name = 'StepBack';
  }
}

/**
 * Runs `pass` until it comes to its end, once more after each step back. All that a pass has under way is cancelled and
 * awaited before the next one begins; meanwhile another step back may be asked for, so all of them are followed.
 */
export async function stepping<T>(sector: Sector, pass: () => Promise<T>): Promise<T> {
  for (;;) {
    const scope = new CancellationScope();
    sector.onStepBackAsked = () => scope.cancel();
    try {
      return await scope.run(pass);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) {
        // A step back is no failure that a workflow may end with, and a cancelled one steps back no more.
        throw isCancellation(error) ? error : new CancelledFailure('cancelled');
      }
      const backs = sector.takeStepBacks(error instanceof StepBack ? [error] : []);
      if (backs.length === 0) throw error;
      for (const back of backs) sector.stepBack(back);
    }
  }
}
