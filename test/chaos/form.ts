/** The two forms of the chaos tests: all of them (`npm run chaos`), or a few, the same each time (`npm test`). */
import { createRandom, type Random } from '../helpers/random.js';
import { fewest } from './fewest.js';

export const COMPLETE = process.env['SEALFLOW_CHAOS'] === 'complete';

/** Tickets, seeds, and whatever is done at random: by SEALFLOW_CHAOS_SEED, which `npm run chaos` chooses and prints. */
export const chaosRandom = (): Random => createRandom('SEALFLOW_CHAOS_SEED', 1);

/**
 * The cells that this form runs: all, or the fewest that have each fault, each phase, each victim. Tests that are no cells of a
 * table follow the same rule by hand: those that add a kind of fault or of victim always run, the others have `runIf(COMPLETE)`.
 */
export const inThisForm = <Cell extends object>(
  cells: readonly Cell[],
  aspects: readonly (keyof Cell)[],
): readonly Cell[] => (COMPLETE ? cells : fewest(cells, aspects));
