/**
 * A sector's state: plain data, passed to the next run when the workflow continues as new. Only `reduce.ts`
 * changes it. Anything that can be derived from it is derived (here and in `views.ts`), so that no two parts can
 * disagree.
 */
import { CONTRACT_VERSION, type CleanResult, type PhaseResult, type SealInput } from '../../contract.js';
import type { Failure } from '../../failures.js';
import type { Attention, PhaseStatus } from '../../messages.js';
import { PHASE_IDS, phasesFrom, DEPENDS_ON, type EnginePhaseId, type PhaseId } from '../../phases.js';

/** What is known of a phase besides its result. */
export interface PhaseRecord {
  /** Activities scheduled so far, not counting Temporal's own retries. */
  tries: number;
  /** An activity is scheduled and has not ended. */
  active: boolean;
  /** The host whose engine works for that activity, once it has told. */
  workingOn?: string | undefined;
  /** The workflow is waiting before it schedules the next activity. */
  backingOff: boolean;
  /** Consecutive failures that only reschedule (a lost or draining worker), without progress in between. */
  interruptions: number;
  /** Step backs it has asked for since it was last done or retried by a person. */
  stepBacks: number;
  /** Units of work (layers) recorded on disk when the last activity ended; an increase means progress. */
  recorded: number;
  /** The newest attempt whose failure was reported to the workflow. */
  lastReported?: string;
  /** The last failure; cleared when the phase is done. */
  failure?: string;
  /** Where the phase was done, and how long it took. */
  host?: string;
  seconds?: number;
}

/** A request to resume from an earlier phase. */
export interface StepBack {
  to: PhaseId;
  reason: string;
  /**
   * `one`: only the result of `to` is invalid; later results are reused if their inputs still match. `all`: every
   * result from `to` on. `none`: no result is invalid, but an input has changed, so different results are needed.
   */
  invalidates: 'one' | 'all' | 'none';
  /** Only the ticket is drawn anew: nothing runs again. */
  isDraw?: true;
}

/** How a sector ends, or has ended. */
type Ending =
  | { state: 'stopping' | 'stopped' | 'aborting' | 'aborted' }
  | { state: 'sealed'; cleaned: CleanResult }
  /** Nothing is left to do: the workflow fails with this. */
  | { state: 'failed'; failure: Failure };

export interface SectorState {
  v: typeof CONTRACT_VERSION;
  seal: SealInput;
  /** See PhaseInput. */
  claim: number;
  phases: Record<PhaseId, PhaseRecord>;
  results: Partial<Record<EnginePhaseId, PhaseResult>>;
  /** Results that step backs have invalidated, each as its `at`. */
  invalidated: string[];
  attention: Partial<Record<PhaseId, Attention>>;
  /** Take effect once the current pass has ended. */
  pendingStepBacks: StepBack[];
  /** Number of step backs so far. */
  stepsBack: number;
  /** The scratch is retained until the proof is on chain. */
  keepUntilLanded: boolean;
  /** Upstream has reported that the proof is on chain. */
  landed: boolean;
  /** P6 has renamed the scratch. */
  stored: boolean;
  /** How often a ticket was drawn from the chain. */
  draws?: number;
  /** The ticket is the chain's: when it is too old, another one is drawn. One that a person gave is that person's to replace. */
  isDrawn?: true;
  /** Why it will miss its ticket, as a host foresees it. */
  late?: string;
  /** Epoch at which the pre-commit landed: the seed follows from it. */
  preCommitEpoch?: number;
  /** Until when the proof must be on chain, ISO 8601. */
  proofUntil?: string;
  /** The commR that was published. */
  shownCommR?: string;
  /** Set once an operator has aborted the sector. */
  abortReason?: string;
  ending?: Ending;
}

const newPhase = (): PhaseRecord => ({
  tries: 0,
  active: false,
  backingOff: false,
  interruptions: 0,
  stepBacks: 0,
  recorded: 0,
});

export const initialState = (seal: SealInput): SectorState => ({
  v: CONTRACT_VERSION,
  seal,
  claim: 1,
  phases: Object.fromEntries(PHASE_IDS.map((id) => [id, newPhase()])) as Record<PhaseId, PhaseRecord>,
  results: {},
  invalidated: [],
  attention: {},
  pendingStepBacks: [],
  stepsBack: 0,
  // What the chain is watched for is kept until it has told, unless somebody has said otherwise.
  keepUntilLanded: (seal.cleanAfter ?? (seal.chain ? 'landed' : 'proof')) === 'landed',
  landed: false,
  stored: false,
});

// ---- derived ----

export const isDone = (state: SectorState, phase: PhaseId): boolean =>
  phase === 'P6' ? state.ending?.state === 'sealed' : state.results[phase] !== undefined;

export function phaseState(state: SectorState, phase: PhaseId): PhaseStatus['state'] {
  const { active, workingOn, backingOff } = state.phases[phase];
  if (state.attention[phase]) return 'needs-attention';
  if (active) return workingOn === undefined ? 'queued' : 'working';
  if (backingOff) return 'backoff';
  return isDone(state, phase) ? 'done' : 'waiting';
}

/** Phases that have started and are not done. */
export const activePhases = (state: SectorState): PhaseId[] =>
  PHASE_IDS.filter((phase) => !['waiting', 'done'].includes(phaseState(state, phase)));

/** @returns what upstream must provide before the next phase can begin, if anything */
export function waitsFor(state: SectorState): 'ticket' | 'seed' | 'landed' | undefined {
  const { results, attention, seal, phases } = state;
  if (seal.ticket === undefined && !attention.P1) return 'ticket';
  if (results.P2 && !attention.P2 && !results.P3 && seal.seed === undefined) return 'seed';
  const proved = results.P4 && results.P5 && !phases.P6.active;
  return proved && mustWaitForLanded(state) && !state.ending ? 'landed' : undefined;
}

export const mustWaitForLanded = ({ keepUntilLanded, landed }: SectorState): boolean =>
  keepUntilLanded && !landed;

/** commR of P2's current result; undefined until P2 is done. */
export const commROf = ({ results }: SectorState): string | undefined => results.P2?.commR;

/** Whether a later P2 computed a different commR from the published one. */
export function hasChangedCommR(state: SectorState): boolean {
  const commR = commROf(state);
  return commR !== undefined && state.shownCommR !== undefined && commR !== state.shownCommR;
}

/** @returns the phases that a step back resets: all from `to` on with `all`, else `to` and what depends on it */
export function takenBack({ to, invalidates }: StepBack): PhaseId[] {
  if (invalidates === 'all') return phasesFrom(to);
  const dependsOnIt = (phase: PhaseId): boolean =>
    phase === to || phase === 'P6' || DEPENDS_ON[phase].some((id) => dependsOnIt(id));
  return PHASE_IDS.filter(dependsOnIt);
}

/** Whether any phase that the step back resets has started. */
export const hasBegun = (state: SectorState, back: StepBack): boolean =>
  takenBack(back).some((phase) => phaseState(state, phase) !== 'waiting');

/** Whether P6 has started: what it deletes cannot be restored. */
export const isCleaning = (state: SectorState): boolean =>
  state.stored || ['queued', 'working', 'backoff', 'done'].includes(phaseState(state, 'P6'));

/** Whether a phase needs attention or is backing off: a retry would resume it. */
export const waitsForRetry = (state: SectorState): boolean =>
  PHASE_IDS.some((phase) => ['needs-attention', 'backoff'].includes(phaseState(state, phase)));

/** Whether the current pass must end, for a step back or an abort. */
export const mustEndPass = ({ pendingStepBacks, abortReason }: SectorState): boolean =>
  pendingStepBacks.length > 0 || abortReason !== undefined;
