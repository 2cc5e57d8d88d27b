/**
 * Wraps the pure state of `core/` for the workflow: dispatches events, updates the display, waits for conditions.
 */
import { condition, workflowInfo } from '@temporalio/workflow';
import { CONTRACT_VERSION, type CleanInput, type PhaseInput, type ResultRef } from '../contract.js';
import { DEPENDS_ON, ENGINE_PHASE_IDS, scaledTimes, type EnginePhaseId, type Times } from '../phases.js';
import { reduce, type Event } from './core/reduce.js';
import { mustEndPass, type SectorState } from './core/state.js';
import { WebUiView } from './show.js';

export class Sector {
  readonly scale: number;
  readonly times: Times;
  private readonly display = new WebUiView();
  /** Ends the current pass; each pass sets it (`passes.ts`). */
  endPass: () => void = () => undefined;
  /** Set when the workflow is about to continue as new: nothing may start after that. */
  continues = false;

  constructor(public state: SectorState) {
    this.scale = state.seal.timeScale ?? 1;
    this.times = scaledTimes(this.scale);
  }

  dispatch(event: Event): void {
    this.state = reduce(this.state, event);
    this.display.show(this.state);
    if (mustEndPass(this.state)) this.endPass();
  }

  /**
   * Waits until `holds` is true of the state, without limit or for `timeout` ms. Does not return if the server
   * suggests continue-as-new meanwhile.
   * @returns whether `holds` is true
   */
  async until(holds: (state: SectorState) => boolean, timeout?: number): Promise<boolean> {
    // Usually there is nothing to wait for, and a condition costs several promises, each with a stack trace.
    if (holds(this.state)) return true;
    const canReturn = (): boolean => holds(this.state) || this.mayContinueAsNew();
    if (timeout === undefined) await condition(canReturn);
    else await condition(canReturn, timeout);
    if (!holds(this.state) && this.mayContinueAsNew()) await this.continueAsNew();
    return holds(this.state);
  }

  /**
   * Whether the server suggests continue-as-new and the workflow can follow. A pending step back or abort goes first,
   * so that no run begins in the middle of one. Ask where no activity is about to be scheduled.
   */
  mayContinueAsNew = (): boolean =>
    workflowInfo().continueAsNewSuggested && !mustEndPass(this.state) && !this.state.ending;

  /** Continues the workflow in another run. Running activities are abandoned; the next run adopts their engines. */
  async continueAsNew(): Promise<never> {
    this.continues = true;
    await condition(() => false);
    throw new Error('unreachable: this run has ended');
  }

  // ---- activity inputs ----

  phaseInput(phase: EnginePhaseId): PhaseInput {
    const { invalidated, phases } = this.state;
    return {
      ...this.common(),
      phase,
      inputs: Object.fromEntries(DEPENDS_ON[phase].map((id) => [id, this.ref(id)])),
      invalidated: invalidated,
      lastReported: phases[phase].lastReported,
      ...(this.state.late !== undefined && { late: true as const }),
    };
  }

  cleanInput(): CleanInput {
    const results = Object.fromEntries(ENGINE_PHASE_IDS.map((id) => [id, this.ref(id)]));
    return {
      ...this.common(),
      results: results as Record<EnginePhaseId, ResultRef>,
      ...(this.state.landed && { landed: true }),
    };
  }

  common(): Pick<PhaseInput, 'v' | 'seal' | 'claim' | 'run'> {
    const { seal, claim } = this.state;
    return { v: CONTRACT_VERSION, seal, claim, run: workflowInfo().firstExecutionRunId };
  }

  private ref(phase: EnginePhaseId): ResultRef {
    const result = this.state.results[phase];
    if (!result) throw new Error(`${phase} has no result yet`);
    return { at: result.at, digest: result.digest };
  }
}
