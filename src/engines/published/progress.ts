/** Progress of a file in bytes, as text for a display: `fetching the parameters: 12.3 GB of 48.3 GB, 85 MB/s`. */
import type { OnStep } from '../../machine/on-step.js';
import { amount } from '../../units.js';

/** A text more often than this is not readable. */
const EVERY_MS = 250;
/** The rate is that of the last seconds: an average since the start would hide that it has become slow. */
const WINDOW_MS = 10_000;
/** Shorter, it would be a guess. */
const MIN_WINDOW_MS = 1_000;

/**
 * @returns what is to be called with the bytes so far and, if known, the total; it may be called for each chunk
 */
export function bytesShown(onStep: OnStep | undefined, what: string): (done: number, total?: number) => void {
  const samples: { at: number; done: number }[] = [];
  return (done, total) => {
    const at = performance.now();
    const last = samples.at(-1);
    if (last && at - last.at < EVERY_MS && done !== total) return;
    samples.push({ at, done });
    while (at - (samples[0]?.at ?? at) > WINDOW_MS) samples.shift();
    const first = samples[0] ?? { at, done };
    const took = at - first.at;
    const rate = took < MIN_WINDOW_MS ? '' : `, ${amount(Math.round(((done - first.done) / took) * 1000))}/s`;
    const of = total === undefined ? '' : ` of ${amount(total)}`;
    onStep?.(`${what}: ${amount(done)}${of}${rate}`, total ? Math.min(1, done / total) : undefined);
  };
}

/** What a published file is, for people: its name has 150 characters. */
export const kindOf = (name: string): string =>
  name.endsWith('.vk') ? 'the verifying key' : 'the parameters';
