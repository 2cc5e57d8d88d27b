import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PhaseId } from '../phases.js';
import type { Sector } from './sector.js';

/** The sector has to go on from an earlier phase. Thrown by a phase, or asked for by an operator. */
export class StepBack extends Error {
  constructor(
    readonly to: PhaseId,
    readonly reason: string,
    /** `one`: only the result of `to` is void, later ones still count if they fit; `all`: from `to` on; `none`. */
    readonly voids: 'one' | 'all' | 'none',
  ) {
    super(`back to ${to}: ${reason}`);
    this.name = 'StepBack';
  }
}

/**
 * Runs `pass` until it comes to its end, once more after each step back. All that a pass has under way is cancelled and
 * awaited before the next one begins.
 */
export async function stepping<T>(sector: Sector, pass: () => Promise<T>): Promise<T> {
  for (;;) {
    const scope = new CancellationScope();
    sector.askStepBack = (asked) => {
      sector.askedStepBack = asked;
      scope.cancel();
    };
    try {
      return await scope.run(pass);
    } catch (error) {
      const cancelledFromOutside = CancellationScope.current().consideredCancelled;
      const back =
        error instanceof StepBack ? error : isCancellation(error) ? sector.askedStepBack : undefined;
      if (cancelledFromOutside || !back) throw error;
      sector.stepBack(back);
    }
  }
}
