/** How what a workflow knows of its sector changes: one event after the other, and nowhere else. Pure: no clock, no Temporal. */
import type { CleanResult, PhaseResult } from '../../contract.js';
import { FAILURES, type Failure, type FailureKind } from '../../failures.js';
import { PHASE_IDS, type EnginePhaseId, type PhaseId } from '../../phases.js';
import { needAttention, showCommR } from './attention.js';
import { commROf, hasBegun, type PhaseRecord, type SectorState, type StepBack } from './state.js';
import { rewind, stopAll, without } from './step-back.js';

/** A phase that steps back this often without being done in between needs attention. */
const MAX_STEP_BACKS = 3;

export type Event =
  | { type: 'scheduled'; phase: PhaseId }
  | { type: 'finished'; phase: EnginePhaseId; result: PhaseResult; now: number }
  | { type: 'cleaned'; cleaned: CleanResult }
  /** `now`: workflow time in ms since 1970. */
  | { type: 'failed'; phase: PhaseId; failure: Failure; now: number }
  /** The pass has ended: all its activities have. What was asked for is followed. */
  | { type: 'rewound'; now: number }
  | { type: 'seed'; seed: string }
  | { type: 'landed' }
  | { type: 'retry'; from?: PhaseId; ticket?: string; acceptCommR?: boolean }
  | { type: 'abort'; why: string }
  | { type: 'ending'; state: 'stopping' | 'stopped' | 'aborting' | 'aborted' };

/** @returns the new state; the old one is not changed */
export function reduce(before: SectorState, event: Event): SectorState {
  const state = structuredCopy(before);
  switch (event.type) {
    case 'scheduled':
      schedule(state.phases[event.phase]);
      break;
    case 'finished':
      finish(state, event.phase, event.result, event.now);
      break;
    case 'cleaned': {
      const { host, seconds } = event.cleaned;
      state.phases.P6 = doneRecord(state.phases.P6, { host, seconds });
      state.ending = { state: 'sealed', cleaned: event.cleaned };
      break;
    }
    case 'failed':
      fail(state, event.phase, event.failure, event.now);
      break;
    case 'rewound':
      rewind(state, event.now);
      break;
    case 'seed':
      takeSeed(state, event.seed);
      break;
    case 'landed':
      state.landed = true;
      break;
    case 'retry':
      retry(state, event);
      break;
    case 'abort':
      state.abortReason = event.why;
      break;
    case 'ending':
      end(state, event.state);
  }
  return state;
}

/** Two levels deep is where anything is changed in place; what lies below is replaced as a whole. */
function structuredCopy(state: SectorState): SectorState {
  const phases = Object.fromEntries(PHASE_IDS.map((id) => [id, { ...state.phases[id] }]));
  return {
    ...state,
    phases: phases as SectorState['phases'],
    results: { ...state.results },
    invalidated: [...state.invalidated],
    attention: { ...state.attention },
    pendingStepBacks: [...state.pendingStepBacks],
  };
}

// ---- a phase ----

function schedule(record: PhaseRecord): void {
  record.active = true;
  record.backingOff = false;
  record.tries += 1;
}

const doneRecord = ({ tries }: PhaseRecord, done: { host: string; seconds: number }): PhaseRecord => ({
  tries,
  active: false,
  backingOff: false,
  interruptions: 0,
  stepBacks: 0,
  recorded: 0,
  ...done,
});

function finish(state: SectorState, phase: EnginePhaseId, result: PhaseResult, now: number): void {
  const { host, seconds } = result;
  state.phases[phase] = doneRecord(state.phases[phase], { host, seconds });
  state.results[phase] = result;
  if (phase === 'P2') showCommR(state, now);
}

function fail(state: SectorState, phase: PhaseId, failure: Failure, now: number): void {
  const { type, message, details } = failure;
  const { recorded = 0, claim = 0 } = details;
  const record = state.phases[phase];
  record.active = false;
  record.failure = `${type}: ${message}`;
  if (details.at) record.lastReported = details.at;
  if (recorded > record.recorded) {
    record.recorded = recorded;
    record.interruptions = 0;
  }
  // The run's own later claims, from before its database was restored to an earlier state.
  const hasNewClaim = claim > state.claim;
  if (hasNewClaim) state.claim = claim;
  state.stored ||= details.stored === true;
  const { follows, max = Infinity }: FailureKind = FAILURES[type];
  switch (follows) {
    case 'again':
      record.interruptions += 1;
      if (record.interruptions >= max) needAttention(state, phase, type, message, now);
      // Once is how a worker goes away. Whatever repeats has a delay, unless the claim that it brings is a new one.
      else record.backingOff = record.interruptions > 1 && !hasNewClaim;
      break;
    case 'step back':
      if (details.from && record.stepBacks < MAX_STEP_BACKS) {
        record.stepBacks += 1;
        state.pendingStepBacks.push({ to: details.from, reason: message, invalidates: 'one' });
      } else needAttention(state, phase, type, message, now);
      break;
    case 'landed':
      state.keepUntilLanded = true;
      break;
    case 'end':
      state.ending = { state: 'failed', failure };
      break;
    // The activity has waited and retried at the server by itself: what comes here is for a person.
    case 'hand back':
    case 'wait':
    case 'back off':
    case 'attention':
      needAttention(state, phase, type, message, now);
  }
}

// ---- what people and the chain say ----

function takeSeed(state: SectorState, seed: string): void {
  if (seed === state.seal.seed) return;
  const isReplaced = state.seal.seed !== undefined;
  state.seal = { ...state.seal, seed };
  // What has landed was the proof of the seed before.
  state.landed = false;
  const back: StepBack = { to: 'P3', reason: 'another seed', invalidates: 'none' };
  if (isReplaced && hasBegun(state, back)) state.pendingStepBacks.push(back);
}

function retry(state: SectorState, { from, ticket, acceptCommR }: Extract<Event, { type: 'retry' }>): void {
  if (ticket !== undefined && ticket !== state.seal.ticket) return takeTicket(state, ticket);
  if (from !== undefined) {
    const back: StepBack = { to: from, reason: 'asked for by an operator', invalidates: 'all' };
    if (hasBegun(state, back)) state.pendingStepBacks.push(back);
    return;
  }
  if (acceptCommR) state.shownCommR = commROf(state);
  for (const phase of PHASE_IDS) {
    const attention = state.attention[phase];
    if (attention?.type === 'ChangedCommR' && !acceptCommR) continue;
    if (attention?.type === 'ClaimedByOther') state.claim += 1;
    state.attention = without(state.attention, phase);
    Object.assign(state.phases[phase], { backingOff: false, interruptions: 0, stepBacks: 0 });
  }
}

function takeTicket(state: SectorState, ticket: string): void {
  const { seed: _of, ticketEpoch: _drawnAt, ...rest } = state.seal;
  state.seal = { ...rest, ticket };
  state.shownCommR = undefined;
  state.landed = false;
  const back: StepBack = { to: 'P1', reason: 'a new ticket', invalidates: 'none' };
  if (hasBegun(state, back)) state.pendingStepBacks.push(back);
}

/** By then no activity of a phase is under way. */
function end(state: SectorState, how: Extract<Event, { type: 'ending' }>['state']): void {
  stopAll(state);
  state.attention = {};
  state.ending = { state: how };
}
