/** Until when the chain waits for a sector: first for its pre-commit, then for its proof. */
import type { Deadline } from '../../messages.js';
import type { SectorState } from './state.js';

/** @returns undefined where nobody knows it, and when nothing is waited for any more */
export function deadlineOf({ seal, proofUntil, landed, ending }: SectorState): Deadline | undefined {
  if (landed || ending) return undefined;
  // The seed follows from the pre-commit: that is on chain.
  if (seal.seed === undefined) return seal.ticketLife && { what: 'ticket', at: seal.ticketLife.until };
  return proofUntil === undefined ? undefined : { what: 'proof', at: proofUntil };
}
