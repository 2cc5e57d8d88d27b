import { CONTRACT_VERSION } from '../contract.js';
import type { SealStatus } from '../messages.js';
import type { Sector } from './sector.js';

/** The answer to the query `status`. */
export function statusOf(sector: Sector): SealStatus {
  const { seal, results, ending } = sector;
  const cleaned = ending?.state === 'sealed' ? ending.cleaned : undefined;
  return {
    v: CONTRACT_VERSION,
    sector: seal.sector,
    size: seal.size,
    group: seal.group,
    state: sector.state(),
    phases: sector.phases,
    stepsBack: sector.backs.count,
    attention: [...sector.attention.values()],
    ticket: seal.ticket,
    seed: seal.seed,
    commD: results.P2?.commD,
    // Shown once, it stands until another one takes its place.
    commR: results.P2?.commR ?? sector.shownCommR,
    proof: results.P4?.proof,
    storage: cleaned?.storage,
    bytesFreed: cleaned?.bytesFreed,
  };
}
