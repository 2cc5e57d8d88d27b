/** Foresees, while P1 or P2 is under way, that its ticket will end before: hours before it does. */
import type { TicketLife } from '../contract.js';
import type { Needs, TicketPhase } from '../ticket.js';
import { hours, sinceText } from '../units.js';

/**
 * The pace is that of so much of the phase: P1 of 32 GiB makes eleven layers, so one that slows down is told before the next layer
 * is done.
 */
const WINDOW = 1 / 12;
/** Who was told that it will miss it is told otherwise when it has this to spare: the two must not take turns. */
const SPARE = 1.1;

interface Sample {
  fraction: number;
  /** In ms of any clock that only runs. */
  at: number;
}

export interface Foreseen {
  /** What P1 and P2 still take, in ms, if that can be told. */
  needsMs?: number;
  /** Why it will miss its ticket; undefined if it will not, or nobody can tell yet. */
  late?: string;
}

export class TicketWatch {
  private samples: Sample[] = [];

  /** @param needs of the group: for the phase that follows */
  constructor(
    private readonly phase: TicketPhase,
    private readonly life: TicketLife,
    private readonly needs: Needs,
  ) {}

  /**
   * To be called with each look at the engine.
   * @param at in ms of a clock that only runs; `now` is the time of day
   * @param isLate whether it was told so before
   */
  look(
    { step, fraction }: { step: string; fraction: number | null },
    at: number,
    now: number,
    isLate: boolean,
  ): Foreseen {
    const own = fraction === null ? undefined : this.left(fraction, at);
    // What follows is known, and so is that this phase takes no less than nothing.
    const rest = this.phase === 'P1' ? this.needs.P2.ms : 0;
    const needsMs = (own ?? 0) + rest;
    const left = Date.parse(this.life.until) - now;
    const told = own === undefined ? {} : { needsMs };
    if (left >= needsMs * (isLate ? SPARE : 1)) return told;
    const end = `its ticket ${left > 0 ? 'ends' : 'has ended'} at ${sinceText(new Date(this.life.until), new Date(now))}`;
    const still =
      own === undefined
        ? ''
        : `P1 and P2 still take ${hours(needsMs)} from ${sinceText(new Date(now), new Date(0))}, `;
    return { ...told, late: `${this.phase} ${step}: ${still}${end}` };
  }

  private left(fraction: number, at: number): number | undefined {
    // It never falls within a run; if it does, it is another one's.
    if (fraction < (this.samples.at(-1)?.fraction ?? 0)) this.samples = [];
    const before = this.samples.at(-1);
    if (!before || fraction - before.fraction >= WINDOW / 10) this.samples.push({ fraction, at });
    const last = this.samples.at(-1) as Sample;
    const base = this.samples.findLast((sample) => last.fraction - sample.fraction >= WINDOW);
    if (!base) return undefined;
    this.samples = this.samples.slice(this.samples.indexOf(base));
    // Some engines tell of whole layers only: that nothing was seen since the last one is no news before twice its time.
    const since = at - last.at;
    const pace = Math.max((last.at - base.at) / (last.fraction - base.fraction), since / (2 * WINDOW));
    return Math.max(0, (1 - last.fraction) * pace - since);
  }
}
