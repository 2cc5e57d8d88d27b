/** How fast a copy goes: bytes per second over the last half minute, as its watcher sees them. */

const WINDOW_MS = 30_000;

export class Rate {
  private readonly samples: { at: number; bytes: number }[] = [];

  /**
   * @param bytes moved so far @param at in ms of any clock that never goes back
   * @returns bytes per second; undefined until there is something to compare
   */
  add(bytes: number, at: number): number | undefined {
    this.samples.push({ at, bytes });
    // One from before the window stays, so that the whole of it is spanned.
    while ((this.samples[1]?.at ?? at) < at - WINDOW_MS) this.samples.shift();
    const first = this.samples[0];
    if (!first || at === first.at) return undefined;
    return Math.max(0, (bytes - first.bytes) / ((at - first.at) / 1000));
  }
}
