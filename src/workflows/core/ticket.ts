/** A sector's ticket: drawn from the chain or given by a person, and what follows when it is too old. */
import type { SealInput, TicketLife } from '../../contract.js';
import type { Failure } from '../../failures.js';
import type { PhaseId } from '../../phases.js';
import { needAttention } from './attention.js';
import { hasBegun, type SectorState, type StepBack } from './state.js';

/** The chain's answer. */
export function drawn(
  state: SectorState,
  { ticket, epoch, life }: { ticket: string; epoch: number; life?: TicketLife | undefined },
): void {
  state.seal = { ...state.seal, ticket, ticketEpoch: epoch, ...(life && { ticketLife: life }) };
  state.draws = (state.draws ?? 0) + 1;
  state.isDrawn = true;
}

/**
 * In place of the one before: nothing that was made with that counts any more.
 * @param given by a person; if not given, it is drawn from the chain
 */
export function replaceTicket(
  state: SectorState,
  { ticket, ticketEpoch, ticketLife }: Pick<SealInput, 'ticket' | 'ticketEpoch' | 'ticketLife'> = {},
): void {
  forget(state);
  const { seed: _of, ...rest } = state.seal;
  state.seal = {
    ...rest,
    ...(ticket !== undefined && { ticket }),
    ...(ticketEpoch !== undefined && { ticketEpoch }),
    ...(ticketLife && { ticketLife }),
  };
  state.shownCommR = undefined;
  delete state.preCommitEpoch;
  delete state.proofUntil;
  state.landed = false;
  const back: StepBack = { to: 'P1', reason: 'new ticket', invalidates: 'none' };
  if (hasBegun(state, back)) state.pendingStepBacks.push(back);
}

/**
 * Too old: a host has refused to begin P1, as too little is left for what P1 and P2 take there; or the chain has waited in vain for the
 * pre-commit, which is for a person to look at before P1 and P2 are made again.
 */
export function refused(
  state: SectorState,
  phase: PhaseId,
  { type, message, details }: Failure,
  now: number,
): void {
  if (phase !== 'P1') return needAttention(state, phase, type, message, now);
  const { needsMs = 0, host = 'the host', noTicketLasts } = details;
  const until = state.seal.ticketLife?.until;
  const left = until === undefined ? 0 : Date.parse(until) - now;
  if (left > needsMs + CLOCKS_MS) {
    // This is the server's clock, and later than the host's look at its own.
    const why = `${message}; but by the server's clock it still lasts ${inHours(left)}: the clock of ${host} is wrong`;
    needAttention(state, phase, type, why, now, `set the clock (sealflow doctor on ${host} compares it)`);
  } else if (noTicketLasts) {
    needAttention(state, phase, type, message, now, TOO_SLOW);
  } else if (state.isDrawn) {
    forget(state);
    // The next pass begins with a draw. It takes nothing back: P1 has not begun.
    state.pendingStepBacks.push({ to: 'P1', reason: message, invalidates: 'none', isDraw: true });
  } else needAttention(state, phase, type, message, now);
}

/** Clocks that differ by more are wrong (`doctor` fails). */
const CLOCKS_MS = 60_000;

const TOO_SLOW =
  'let fewer P1 run at once, or give them faster disks; if the hosts are faster by now, delete durations/ in the group’s directory';

function forget(state: SectorState): void {
  const { ticket: _old, ticketEpoch: _epoch, ticketLife: _life, ...rest } = state.seal;
  state.seal = rest;
  delete state.isDrawn;
  delete state.late;
}

const inHours = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} h`;
