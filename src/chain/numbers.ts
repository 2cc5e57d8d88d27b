/** Which sector numbers of a miner are free on chain. A number that was allocated once never is again: whatever became of its sector. */
import type { NumberRange } from '../contract-chain.js';

/** Sector numbers go further on chain (2^63 - 1), but not as exact numbers here. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

/**
 * Reads a bit field as Lotus' API writes it (go-bitfield `rle/rleplus.go` MarshalJSON): lengths of runs, of zeros first, then of ones
 * and zeros by turns. `[0, 3, 5, 2]` is 0 to 2, 8 and 9.
 */
export function rangesOf(runs: readonly number[]): NumberRange[] {
  const ranges: NumberRange[] = [];
  let first = 0;
  for (const [i, count] of runs.entries()) {
    if (i % 2 === 1 && count > 0) ranges.push({ first, count });
    first += count;
  }
  return ranges;
}

/**
 * The lowest numbers that are not allocated, which is what lotus and curio take too: the bit field on chain stays small so.
 * @param allocated in ascending order
 */
export function lowestFree(
  allocated: readonly NumberRange[],
  { from, count }: { from: number; count: number },
): NumberRange[] {
  const free: NumberRange[] = [];
  let [next, missing] = [from, count];
  const takeUpTo = (end: number): void => {
    const taken = Math.min(missing, end - next);
    if (taken <= 0) return;
    free.push({ first: next, count: taken });
    missing -= taken;
  };
  for (const range of allocated) {
    takeUpTo(range.first);
    next = Math.max(next, range.first + range.count);
  }
  takeUpTo(MAX_NUMBER + 1);
  return free;
}
