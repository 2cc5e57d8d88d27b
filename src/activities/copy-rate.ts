/** Transfer rate of a copy: bytes per second over the last 30 seconds, as the watching worker measures it. */

const WINDOW_MS = 30_000;

export class Rate {
  private readonly samples: { at: number; bytes: number }[] = [];

  /**
   * @param bytes moved so far
   * @param at in ms, by any monotonic clock
   * @returns bytes per second; undefined until there are two samples
   */
  add(bytes: number, at: number): number | undefined {
    this.samples.push({ at, bytes });
    // Retain one sample from before the window, so that the samples span all of it.
    while ((this.samples[1]?.at ?? at) < at - WINDOW_MS) this.samples.shift();
    const first = this.samples[0];
    if (!first || at === first.at) return undefined;
    return Math.max(0, (bytes - first.bytes) / ((at - first.at) / 1000));
  }
}
