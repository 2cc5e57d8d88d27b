/** How long the chain waits for a sector: for its pre-commit, and for its proof. */
import type { TicketLife } from '../contract.js';
import { beginOf, type Network } from './network.js';
import { FINALITY, MAX_PROVE_COMMIT_DURATION, MAX_TICKET_AGE } from './policy.js';

const isoOf = (network: Network, epoch: number): string => new Date(beginOf(network, epoch)).toISOString();

/** @param epoch the ticket's */
export const lifeOf = (network: Network, epoch: number): TicketLife => ({
  from: isoOf(network, epoch),
  until: isoOf(network, epoch + MAX_TICKET_AGE),
});

/** The last moment at which the proof of a pre-commit can land. */
export const proofUntil = (network: Network, preCommitEpoch: number): string =>
  isoOf(network, preCommitEpoch + MAX_PROVE_COMMIT_DURATION);

/** What is left of a ticket when it is drawn, in ms, on the network that another one's life is of: epochs differ in length. */
export const lifeWhenDrawn = ({ from, until }: TicketLife): number =>
  ((Date.parse(until) - Date.parse(from)) * (MAX_TICKET_AGE - FINALITY)) / MAX_TICKET_AGE;
