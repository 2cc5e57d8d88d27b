/** The only place that changes a sector's state, one event at a time. Pure: no clock, no Temporal. */
import type { CleanResult, PhaseResult, TicketLife } from '../../contract.js';
import { FAILURES, type Failure, type FailureKind } from '../../failures.js';
import type { Retry } from '../../messages.js';
import { PHASE_IDS, type EnginePhaseId, type PhaseId } from '../../phases.js';
import { needAttention, showCommR } from './attention.js';
import { commROf, hasBegun, type PhaseRecord, type SectorState, type StepBack } from './state.js';
import { rewind, stopAll, without } from './step-back.js';
import { drawn, refused, replaceTicket } from './ticket.js';

/** A phase that asks for more step backs than this before it completes needs attention. */
const MAX_STEP_BACKS = 3;

export type Event =
  | { type: 'scheduled'; phase: PhaseId }
  | { type: 'working'; phase: PhaseId; host?: string | undefined }
  /** A host foresees that the sector will miss its ticket, or no longer does. */
  | { type: 'late'; phase: PhaseId; why?: string }
  | { type: 'finished'; phase: EnginePhaseId; result: PhaseResult; now: number }
  | { type: 'cleaned'; cleaned: CleanResult }
  /** `now`: workflow time in ms since 1970. */
  | { type: 'failed'; phase: PhaseId; failure: Failure; now: number }
  /** The pass and all its activities have ended; the pending step backs take effect. */
  | { type: 'rewound'; now: number }
  | { type: 'ticket'; ticket: string; epoch: number; life?: TicketLife | undefined }
  | { type: 'seed'; seed: string; preCommitEpoch?: number; proofUntil?: string | undefined }
  | { type: 'landed' }
  | { type: 'priority'; priority: boolean }
  | ({ type: 'retry' } & Retry)
  | { type: 'abort'; why: string }
  | { type: 'abortRefused'; failure: Failure }
  | { type: 'ending'; state: 'stopping' | 'stopped' | 'aborting' | 'aborted' };

/** @returns the new state; `before` is not modified */
export function reduce(before: SectorState, event: Event): SectorState {
  const state = structuredCopy(before);
  switch (event.type) {
    case 'scheduled':
      schedule(state.phases[event.phase]);
      break;
    case 'working': {
      const record = state.phases[event.phase];
      // It may come late: the activity has ended meanwhile.
      if (record.active) record.workingOn = event.host;
      break;
    }
    case 'late':
      // It may come late itself.
      if (!state.phases[event.phase].active) break;
      if (event.why === undefined) delete state.late;
      else state.late = event.why;
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
    case 'ticket':
      drawn(state, event);
      break;
    case 'seed':
      takeSeed(state, event);
      break;
    case 'priority':
      state.seal = { ...state.seal, priority: event.priority };
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
    case 'abortRefused':
      state.ending = { state: 'failed', failure: event.failure };
      break;
    case 'ending':
      end(state, event.state);
  }
  return state;
}

/** Copies two levels: only these are modified in place, anything deeper is replaced as a whole. */
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
  delete record.workingOn;
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
  if (phase !== 'P2') return;
  // From here on it is up to the pre-commit.
  delete state.late;
  showCommR(state, now);
}

function fail(state: SectorState, phase: PhaseId, failure: Failure, now: number): void {
  const { type, message, details } = failure;
  const { recorded = 0, claim = 0 } = details;
  const record = state.phases[phase];
  record.active = false;
  delete record.workingOn;
  record.failure = `${type}: ${message}`;
  if (details.at) record.lastReported = details.at;
  if (recorded > record.recorded) {
    record.recorded = recorded;
    record.interruptions = 0;
  }
  // A later claim of this same run, made before Temporal's database was restored from a backup.
  const hasNewClaim = claim > state.claim;
  if (hasNewClaim) state.claim = claim;
  state.stored ||= details.stored === true;
  const { recovery, max = Infinity }: FailureKind = FAILURES[type];
  switch (recovery) {
    case 'reschedule':
      record.interruptions += 1;
      if (record.interruptions >= max) needAttention(state, phase, type, message, now);
      // A single interruption is a normal worker shutdown. Repeated ones back off, unless they report a new claim.
      else record.backingOff = record.interruptions > 1 && !hasNewClaim;
      break;
    case 'step back':
      if (details.from && record.stepBacks < MAX_STEP_BACKS) {
        record.stepBacks += 1;
        state.pendingStepBacks.push({ to: details.from, reason: message, invalidates: 'one' });
      } else needAttention(state, phase, type, message, now);
      break;
    case 'new ticket':
      refused(state, phase, failure, now);
      break;
    case 'await landed':
      state.keepUntilLanded = true;
      break;
    case 'fail':
      state.ending = { state: 'failed', failure };
      break;
    // The server has already retried the activity; a failure that reaches the workflow needs a person.
    case 'hand back':
    case 'retry':
    case 'retry counted':
    case 'attention':
      needAttention(state, phase, type, message, now);
  }
}

// ---- updates ----

function takeSeed(
  state: SectorState,
  { seed, preCommitEpoch, proofUntil }: Extract<Event, { type: 'seed' }>,
): void {
  if (preCommitEpoch !== undefined) state.preCommitEpoch = preCommitEpoch;
  if (proofUntil !== undefined) state.proofUntil = proofUntil;
  if (seed === state.seal.seed) return;
  // A person's seed is of a pre-commit that nobody has told of.
  if (proofUntil === undefined) delete state.proofUntil;
  const isReplaced = state.seal.seed !== undefined;
  state.seal = { ...state.seal, seed };
  // It was the proof of the previous seed that landed.
  state.landed = false;
  const back: StepBack = { to: 'P3', reason: 'new seed', invalidates: 'none' };
  if (isReplaced && hasBegun(state, back)) state.pendingStepBacks.push(back);
}

function retry(
  state: SectorState,
  { from, ticket, ticketEpoch, ticketLife, drawTicket, acceptCommR }: Extract<Event, { type: 'retry' }>,
): void {
  if (drawTicket) return replaceTicket(state);
  if (ticket !== undefined && ticket !== state.seal.ticket)
    return replaceTicket(state, { ticket, ticketEpoch, ticketLife });
  if (from !== undefined) {
    const back: StepBack = { to: from, reason: 'requested by an operator', invalidates: 'all' };
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

/** Called when no activity of any phase is running. */
function end(state: SectorState, ending: Extract<Event, { type: 'ending' }>['state']): void {
  stopAll(state);
  state.attention = {};
  state.ending = { state: ending };
}
