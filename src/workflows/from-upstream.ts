/** What a sector waits for from upstream: the chain's seed, and the word that its proof is on chain. */
import { condition } from '@temporalio/workflow';
import type { Sector } from './sector.js';
import { show } from './show.js';

/** P3 needs the seed, which the chain draws only after commR is on it. */
export const seedKnown = (sector: Sector): Promise<void> =>
  told(sector, 'seed', () => sector.seal.seed !== undefined);

/**
 * With `[clean] after = "landed"` P6 waits: a commit message can fail, and then P3 needs the layers again. Until then another seed, a
 * retry and an abort are possible as before P6.
 */
export async function proofLanded(sector: Sector): Promise<void> {
  sector.phases.P6.state = 'waiting';
  await told(sector, 'landed', () => sector.landed);
}

async function told(sector: Sector, what: 'seed' | 'landed', known: () => boolean): Promise<void> {
  if (known()) return;
  sector.waitsFor = what;
  show(sector);
  try {
    await condition(known);
  } finally {
    sector.waitsFor = undefined;
  }
}
