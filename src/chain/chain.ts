/** What sealflow wants to know of a chain. It only reads: no key, no message is ever sent. */
import type { NumberRange } from '../contract-chain.js';

/** A moment of the chain as one node sees it: answers that belong together are asked at one. */
export interface Head {
  epoch: number;
  /** When its block says that it was made, in ms since 1970. */
  at: number;
  /** The node's own name of it. */
  key: unknown;
}

/** A pre-commit on chain. */
export interface PreCommit {
  /** When it landed. */
  epoch: number;
  /** CID of its commR. */
  sealedCid: string;
}

/** Randomness for a miner (actor ID in decimal) and an epoch, as 64 hex digits. */
export interface Draw {
  miner: string;
  epoch: number;
}

export interface Chain {
  head(): Promise<Head>;
  ticket(draw: Draw, at: Head): Promise<string>;
  seed(draw: Draw, at: Head): Promise<string>;
  /** @returns undefined if the sector is not pre-committed: not yet, or not any more, as it is proved or has expired */
  preCommit(sector: { miner: string; number: number }, at: Head): Promise<PreCommit | undefined>;
  /** @returns the CID of the commR of a sector that is proved on chain; undefined if it is not */
  proved(sector: { miner: string; number: number }, at: Head): Promise<string | undefined>;
  /** The sector numbers of a miner (actor ID in decimal) that are used up: pre-committed, proved, or once were. In ascending order. */
  allocated(miner: string, at: Head): Promise<NumberRange[]>;
}

/**
 * The node gives no answer that can be used: it is down, behind, of another network, or contradicts itself. It may pass: whoever asks
 * asks again.
 */
export class ChainError extends Error {
  override readonly name = 'ChainError';
}
