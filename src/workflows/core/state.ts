/**
 * What a workflow knows of its sector: plain data, which a workflow that continues as new hands to its successor. It changes in
 * `reduce.ts` alone; what can be derived from it is derived (here, and in `views.ts`), so that no two parts of it can disagree.
 */
import { CONTRACT_VERSION, type CleanResult, type PhaseResult, type SealInput } from '../../contract.js';
import type { Failure } from '../../failures.js';
import type { Attention, PhaseStatus } from '../../messages.js';
import { PHASE_IDS, phasesFrom, DEPENDS_ON, type EnginePhaseId, type PhaseId } from '../../phases.js';

/** One phase, as far as it is not told by its result. */
export interface PhaseRecord {
  /** Activities scheduled for it so far; what Temporal itself retries is not counted. */
  tries: number;
  /** An activity is scheduled, and the workflow waits for its end. */
  active: boolean;
  /** The workflow waits before it schedules the next activity. */
  backingOff: boolean;
  /** Ends in a row that only ask for another activity (a lost worker, a drained one), without progress between them. */
  interruptions: number;
  /** How often it has asked for an earlier phase since it was last done, or a person said `retry`. */
  stepBacks: number;
  /** Units of work (layers) that were safe on disk when it last ended; a growing number means progress. */
  recorded: number;
  /** The newest attempt whose failure is known here. */
  lastReported?: string;
  /** The last failure, kept until the phase is done. */
  failure?: string;
  /** Of the activity that is done. */
  host?: string;
  seconds?: number;
}

/** The sector has to go on from an earlier phase. */
export interface StepBack {
  to: PhaseId;
  reason: string;
  /**
   * `one`: only the result of `to` is invalid, later ones still count if they fit; `all`: from `to` on; `none`: nothing on disk
   * is invalid, but another input asks for other results.
   */
  invalidates: 'one' | 'all' | 'none';
}

/** How a sector ends, or has ended. */
type Ending =
  | { state: 'stopping' | 'stopped' | 'aborting' | 'aborted' }
  | { state: 'sealed'; cleaned: CleanResult }
  /** There is nothing to do: the workflow fails with this. */
  | { state: 'failed'; failure: Failure };

export interface SectorState {
  v: typeof CONTRACT_VERSION;
  seal: SealInput;
  /** See PhaseInput. */
  claim: number;
  phases: Record<PhaseId, PhaseRecord>;
  results: Partial<Record<EnginePhaseId, PhaseResult>>;
  /** Results that a step back has taken out of the count, as `at`. */
  invalidated: string[];
  attention: Partial<Record<PhaseId, Attention>>;
  /** Asked for: the pass ends, and these are followed. */
  pendingStepBacks: StepBack[];
  /** Times that an earlier phase had to run again. */
  stepsBack: number;
  /** The scratch is kept until the proof is on chain. */
  keepUntilLanded: boolean;
  /** Upstream has reported that the proof is on chain. */
  landed: boolean;
  /** P6 has renamed the scratch away. */
  stored: boolean;
  /** The commR that was shown to the world. */
  shownCommR?: string;
  /** Why, when an operator has aborted the sector. */
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
  keepUntilLanded: seal.cleanAfter === 'landed',
  landed: false,
  stored: false,
});

// ---- what follows from it ----

export const isDone = (state: SectorState, phase: PhaseId): boolean =>
  phase === 'P6' ? state.ending?.state === 'sealed' : state.results[phase] !== undefined;

export function phaseState(state: SectorState, phase: PhaseId): PhaseStatus['state'] {
  const { active, backingOff } = state.phases[phase];
  if (state.attention[phase]) return 'needs-attention';
  if (active) return 'running';
  if (backingOff) return 'backoff';
  return isDone(state, phase) ? 'done' : 'waiting';
}

/** Phases that are neither done nor still to come. */
export const activePhases = (state: SectorState): PhaseId[] =>
  PHASE_IDS.filter((phase) => !['waiting', 'done'].includes(phaseState(state, phase)));

/** What it waits for from upstream before the next phase can begin. */
export function waitsFor(state: SectorState): 'seed' | 'landed' | undefined {
  const { results, attention, seal, phases } = state;
  if (results.P2 && !attention.P2 && !results.P3 && seal.seed === undefined) return 'seed';
  const proved = results.P4 && results.P5 && !phases.P6.active;
  return proved && mustWaitForLanded(state) && !state.ending ? 'landed' : undefined;
}

export const mustWaitForLanded = ({ keepUntilLanded, landed }: SectorState): boolean =>
  keepUntilLanded && !landed;

/** That of the result that counts; undefined while P2 is still to be done. */
export const commROf = ({ results }: SectorState): string | undefined => results.P2?.commR;

/** Whether P2 ran again and gave another commR than the one that was shown to the world. */
export function hasChangedCommR(state: SectorState): boolean {
  const commR = commROf(state);
  return commR !== undefined && state.shownCommR !== undefined && commR !== state.shownCommR;
}

/** What a step back takes back: all that follows when a person asks for it, else what depends on the phase. */
export function takenBack({ to, invalidates }: StepBack): PhaseId[] {
  if (invalidates === 'all') return phasesFrom(to);
  const depends = (phase: PhaseId): boolean =>
    phase === to || phase === 'P6' || DEPENDS_ON[phase].some((id) => depends(id));
  return PHASE_IDS.filter(depends);
}

/** Whether there is something to take back: else the phase is still to come. */
export const hasBegun = (state: SectorState, back: StepBack): boolean =>
  takenBack(back).some((phase) => phaseState(state, phase) !== 'waiting');

/** P6 is under way: what it deletes cannot be asked back. */
export const isCleaning = (state: SectorState): boolean =>
  state.stored || ['running', 'backoff', 'done'].includes(phaseState(state, 'P6'));

/** Whether a phase waits for a person, or before its next activity. */
export const waitsForRetry = (state: SectorState): boolean =>
  PHASE_IDS.some((phase) => ['needs-attention', 'backoff'].includes(phaseState(state, phase)));

/** The pass that is under way must end: what follows is another pass, or an abort. */
export const mustEndPass = ({ pendingStepBacks, abortReason }: SectorState): boolean =>
  pendingStepBacks.length > 0 || abortReason !== undefined;
