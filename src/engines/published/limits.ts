/** How long a fetch waits for a server, and what it leaves free on the disk. */
export interface FetchLimits {
  /** A transfer over which no byte comes for this long, in ms, counts as broken off. */
  idleMs: number;
  /** Wait, in ms, before the first try after a break; it doubles with each that brings nothing. */
  firstDelayMs: number;
  maxDelayMs: number;
  /** Tries that bring nothing new, one after the other, until the fetch is given up. */
  fruitlessTries: number;
  /** Room, in bytes, that must be left on the disk when the file is whole: others write there too. */
  spareBytes: number;
}

/** A server that restarts is waited for: 1 + 2 + 4 + … + 60 s, three minutes in all. */
export const FETCH_LIMITS: FetchLimits = {
  idleMs: 60_000,
  firstDelayMs: 1_000,
  maxDelayMs: 60_000,
  fruitlessTries: 9,
  spareBytes: 1e9,
};
