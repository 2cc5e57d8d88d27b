/** Whether all of the chaos tests are asked for (`npm run chaos`) or the short form (`npm test`), which chooses by a seed. */
import { createRandom, type Random } from '../helpers/random.js';

export const COMPLETE = process.env['SEALFLOW_CHAOS'] === 'complete';

/** Random numbers of the seed that the script has printed, SEALFLOW_CHAOS_SEED: the same in each test file. */
export const chaosRandom = (): Random => createRandom('SEALFLOW_CHAOS_SEED');

/**
 * In the short form one test of a file runs, chosen by the seed.
 * @param tests how many the file has
 * @returns to be asked once before each test: whether it runs
 */
export function oneOf(tests: number): () => boolean {
  const chosen = chaosRandom().below(tests);
  let asked = 0;
  return () => asked++ === chosen || COMPLETE;
}
