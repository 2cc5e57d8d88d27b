/** Answers to updates, and the reasons to refuse them. Pure, like {@link reduce}. */
import type { Abort, ProvideSeed, Retry, SetPriority } from '../../messages.js';
import { hasBegun, isCleaning, waitsFor, waitsForRetry, type SectorState } from './state.js';
import { sealState } from './views.js';

/** Why an update is refused: `type` is for programs, `message` for people. */
export interface Refusal {
  type: string;
  message: string;
}

const refusal = (type: string, message: string): Refusal => ({ type, message });

// ---- seed ----

export function refusalOfSeed(state: SectorState, { seed, replace }: ProvideSeed): Refusal | undefined {
  const known = state.seal.seed;
  if (known === undefined || known === seed) return undefined;
  if (!replace)
    return refusal('SeedKnown', 'a different seed is already set; with --replace, P3 and P4 run again');
  return isCleaning(state) ? refusal('TooLate', 'P6 has begun') : undefined;
}

export function answerToSeed(before: SectorState, { seed }: ProvideSeed): string {
  if (seed === before.seal.seed) return 'already set';
  return before.seal.seed === undefined ? 'stored' : 'replaced';
}

// ---- landed ----

export function refusalOfLanded(state: SectorState): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `the sector is ${sealState(state)}`);
  return state.results.P4 ? undefined : refusal('TooEarly', 'there is no proof yet');
}

export const answerToLanded = (before: SectorState): string =>
  waitsFor(before) === 'landed' ? 'P6 continues' : 'recorded';

// ---- priority ----

export const refusalOfPriority = (state: SectorState): Refusal | undefined =>
  state.ending && refusal('TooLate', `the sector is ${sealState(state)}`);

export const answerToPriority = ({ seal }: SectorState, { priority }: SetPriority): string => {
  const name = priority ? 'high' : 'normal';
  return (seal.priority ?? false) === priority ? `is ${name} already` : `is ${name} now`;
};

// ---- abort ----

export function refusalOfAbort(state: SectorState): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `the sector is ${sealState(state)}`);
  return isCleaning(state) || state.attention.P6
    ? refusal('TooLate', 'P6 has begun: the sector is almost sealed')
    : undefined;
}

export const reasonOf = (given: Abort | undefined): string => given?.why ?? 'by an operator';

// ---- retry ----

export function refusalOfRetry(
  state: SectorState,
  { from, ticket, drawTicket, acceptCommR }: Retry,
): Refusal | undefined {
  if (state.ending) return refusal('TooLate', `the sector is ${sealState(state)}`);
  if (drawTicket && !state.seal.chain)
    return refusal('NoChain', 'the sector does not follow the chain: give a ticket with --ticket');
  const goesBack = from !== undefined || drawTicket === true || isNewTicket(state, ticket);
  const isWaiting = waitsForRetry(state);
  if (isCleaning(state) && (goesBack || !isWaiting)) return refusal('TooLate', 'P6 has begun');
  if (!goesBack && !isWaiting) return refusal('NothingToRetry', 'nothing is waiting for a retry');
  const types = Object.values(state.attention).map(({ type }) => type);
  const hasUnacceptedCommR = types.includes('ChangedCommR');
  if (acceptCommR && !hasUnacceptedCommR)
    return refusal('NothingToAccept', 'no changed commR is waiting to be accepted');
  if (!goesBack && !acceptCommR && hasUnacceptedCommR && types.length === 1)
    return refusal('CommRChanged', 'commR has changed: retry with --accept-commr, or with --from P2');
  return undefined;
}

export function answerToRetry(before: SectorState, { from, ticket, drawTicket }: Retry): string {
  if (drawTicket) return 'back to P1 with a ticket that is drawn anew';
  if (isNewTicket(before, ticket)) return 'back to P1 with a new ticket';
  if (from === undefined) return 'going on';
  const back = { to: from, reason: '', invalidates: 'all' } as const;
  return hasBegun(before, back) ? `back to ${from}` : `${from} has not started yet`;
}

const isNewTicket = ({ seal }: SectorState, ticket: string | undefined): boolean =>
  ticket !== undefined && ticket !== seal.ticket;
