/** What a sector answers to the updates that people send it, and which it refuses. Pure, like {@link reduce}. */
import type { Abort, ProvideSeed, Retry } from '../../messages.js';
import { hasBegun, isCleaning, waitsFor, waitsForRetry, type SectorState } from './state.js';
import { sealState } from './views.js';

/** Why an update is refused: its type for programs, its message for people. */
export interface Refusal {
  type: string;
  message: string;
}

const refusal = (type: string, message: string): Refusal => ({ type, message });

// ---- seed ----

export function refusalOfSeed(state: SectorState, { seed, replace }: ProvideSeed): Refusal | undefined {
  const known = state.seal.seed;
  if (known === undefined || known === seed) return undefined;
  if (!replace) return refusal('SeedKnown', 'another seed is known already; replace takes P3 back');
  return isCleaning(state) ? refusal('TooLate', 'P6 has begun') : undefined;
}

export function answerToSeed(before: SectorState, { seed }: ProvideSeed): string {
  if (seed === before.seal.seed) return 'known already';
  return before.seal.seed === undefined ? 'stored' : 'replaced';
}

// ---- landed ----

export function refusalOfLanded(state: SectorState): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `it is ${sealState(state)}`);
  return state.results.P4 ? undefined : refusal('TooEarly', 'there is no proof yet');
}

export const answerToLanded = (before: SectorState): string =>
  waitsFor(before) === 'landed' ? 'P6 goes on' : 'noted';

// ---- abort ----

export function refusalOfAbort(state: SectorState): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `it is ${sealState(state)}`);
  return isCleaning(state) || state.attention.P6
    ? refusal('TooLate', 'P6 has begun: the sector is all but sealed')
    : undefined;
}

export const reasonOf = (given: Abort | undefined): string => given?.why ?? 'by an operator';

// ---- retry ----

export function refusalOfRetry(
  state: SectorState,
  { from, ticket, acceptCommR }: Retry,
): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `it is ${sealState(state)}`);
  const goesBack = from !== undefined || isNewTicket(state, ticket);
  const waits = waitsForRetry(state);
  if (isCleaning(state) && (goesBack || !waits)) return refusal('TooLate', 'P6 has begun');
  if (!goesBack && !waits) return refusal('NothingToRetry', 'nothing waits for a retry');
  const asked = Object.values(state.attention).map(({ type }) => type);
  const asksForCommR = asked.includes('ChangedCommR');
  if (acceptCommR && !asksForCommR) return refusal('NothingToAccept', 'no commR waits to be accepted');
  if (!goesBack && !acceptCommR && asksForCommR && asked.length === 1)
    return refusal('CommRChanged', 'commR has changed: accept it, or take P2 back');
  return undefined;
}

export function answerToRetry(before: SectorState, { from, ticket }: Retry): string {
  if (isNewTicket(before, ticket)) return 'back to P1 with a new ticket';
  if (from === undefined) return 'going on';
  const back = { to: from, reason: '', invalidates: 'all' } as const;
  return hasBegun(before, back) ? `back to ${from}` : `${from} is still to come`;
}

const isNewTicket = ({ seal }: SectorState, ticket: string | undefined): boolean =>
  ticket !== undefined && ticket !== seal.ticket;
