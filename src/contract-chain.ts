/** The part of the contract by which sectors ask the chain. Usable in workflows. */
import type { CONTRACT_VERSION, TicketLife } from './contract.js';

export interface ChainInput {
  v: typeof CONTRACT_VERSION;
  /** `t01000/7` */
  sector: string;
  /** base64; once P2 is done. */
  commR?: string;
  /** Of its ticket, where it is known: too long after it no pre-commit can land. */
  ticketEpoch?: number;
  /** Epoch at which the pre-commit landed, once it is known. */
  preCommitEpoch?: number;
}

export interface DrawnTicket {
  v: typeof CONTRACT_VERSION;
  /** hex */
  ticket: string;
  epoch: number;
  /** Orchestrators of an older version do not tell it. */
  life?: TicketLife;
}

export interface DrawnSeed {
  v: typeof CONTRACT_VERSION;
  /** hex */
  seed: string;
  /** Epoch at which the pre-commit landed. */
  preCommitEpoch: number;
  /** The last moment at which the proof can land, ISO 8601. Orchestrators of an older version do not tell it. */
  proofUntil?: string;
}

/** The proof is on chain; or the pre-commit has landed at another epoch since (a reorganisation), which has another seed. */
export type Landing = { v: typeof CONTRACT_VERSION; landed: true } | ({ landed: false } & DrawnSeed);

/** Each waits as long as it takes, without an event. */
export interface ChainActivities {
  drawTicket: (input: ChainInput) => Promise<DrawnTicket>;
  awaitSeed: (input: ChainInput) => Promise<DrawnSeed>;
  awaitLanded: (input: ChainInput) => Promise<Landing>;
}

/** `count` numbers of sectors, from `first` on. */
export interface NumberRange {
  first: number;
  count: number;
}

export interface FreeNumbersInput {
  v: typeof CONTRACT_VERSION;
  /** `t01000` */
  miner: string;
  /** The lowest number that is asked for. */
  from: number;
  /** So many are wanted. */
  count: number;
}

export interface FreeNumbers {
  v: typeof CONTRACT_VERSION;
  /** The lowest that the chain has not allocated; fewer than were wanted only where there are no more. */
  free: NumberRange[];
  /** At this epoch. */
  epoch: number;
}

/** What no sector asks, but who starts new ones. It answers at once, or fails. */
export interface NumberActivities {
  freeNumbers: (input: FreeNumbersInput) => Promise<FreeNumbers>;
}
