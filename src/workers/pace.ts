/** Watched for less than this, in ms, an engine's pace says nothing: it may have begun with files that were there. */
const LEAST_MS = 60_000;

/** How long an engine will take, by how its fraction has grown since it was first seen. Its steps differ: it is about right. */
export class Pace {
  private first: { fraction: number; at: number } | undefined;
  private last: { fraction: number; at: number } | undefined;

  /** @param at in ms of this process' clock */
  record(fraction: number | null, at: number): void {
    if (fraction === null) return;
    this.last = { fraction, at };
    // It never falls within a run; if it does, it is another one's.
    if (!this.first || fraction < this.first.fraction) this.first = this.last;
  }

  /** @returns ms from the last record on; undefined if it cannot be told yet */
  left(): number | undefined {
    if (!this.first || !this.last) return undefined;
    const [grown, took] = [this.last.fraction - this.first.fraction, this.last.at - this.first.at];
    return took < LEAST_MS || grown <= 0 ? undefined : ((1 - this.last.fraction) / grown) * took;
  }
}
