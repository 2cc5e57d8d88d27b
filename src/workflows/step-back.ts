/** Going back to an earlier phase: what it takes back, who asked for it, and how often. */
import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import { BASIS, PHASE_IDS, phasesFrom, type PhaseId } from '../phases.js';
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

/** What a step back takes back: all that follows when a person asks for it, else what depends on the phase. */
export function takenBack({ to, voids }: StepBack): PhaseId[] {
  if (voids === 'all') return phasesFrom(to);
  const depends = (phase: PhaseId): boolean =>
    phase === to || phase === 'P6' || BASIS[phase].some((basis) => depends(basis));
  return PHASE_IDS.filter(depends);
}

/** A sector's step backs: asked for, and counted. */
export class StepBacks {
  /** Times that an earlier phase had to run again. */
  count = 0;
  /** Set by `stepping` for each pass: ends it. */
  endPass: () => void = () => undefined;
  private asked: StepBack[] = [];
  /** By the phase that found the damage; forgotten when it is done. */
  private readonly by = new Map<PhaseId, number>();

  /** Ends the pass, which is followed by one from the earlier phase. */
  ask(back: StepBack): void {
    this.asked.push(back);
    this.endPass();
  }

  /** All that were asked for, each once. */
  take(): StepBack[] {
    return this.asked.splice(0);
  }

  of(phase: PhaseId): number {
    return this.by.get(phase) ?? 0;
  }

  countFor(phase: PhaseId): void {
    this.by.set(phase, this.of(phase) + 1);
  }

  forget(phase: PhaseId): void {
    this.by.delete(phase);
  }
}

/**
 * Runs `pass` until it comes to its end, once more after each step back. All that a pass has under way is cancelled and
 * awaited before the next one begins; meanwhile another step back may be asked for, so all of them are followed.
 * @throws what the pass throws; a cancellation also when an abort has ended it.
 */
export async function stepping<T>(sector: Sector, pass: () => Promise<T>): Promise<T> {
  for (;;) {
    const scope = new CancellationScope();
    sector.backs.endPass = () => scope.cancel();
    try {
      return await scope.run(pass);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled || sector.abortAsked !== undefined) {
        // A step back is no failure that a workflow may end with, and a cancelled one steps back no more.
        throw isCancellation(error) ? error : new CancelledFailure('cancelled');
      }
      const backs = [...sector.backs.take(), ...(error instanceof StepBack ? [error] : [])];
      if (backs.length === 0) throw error;
      for (const back of backs) sector.stepBack(back);
    }
  }
}
