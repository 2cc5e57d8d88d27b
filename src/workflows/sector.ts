/** A sector as its workflow holds it: the pure state of `core/`, changed by events, shown after each, and waited on. */
import { condition, workflowInfo } from '@temporalio/workflow';
import { CONTRACT_VERSION, type CleanInput, type PhaseInput, type ResultRef } from '../contract.js';
import { DEPENDS_ON, ENGINE_PHASE_IDS, scaledTimes, type EnginePhaseId, type Times } from '../phases.js';
import { reduce, type Event } from './core/reduce.js';
import { mustEndPass, type SectorState } from './core/state.js';
import { Display } from './show.js';

export class Sector {
  readonly scale: number;
  readonly times: Times;
  private readonly display = new Display();
  /** Set for each pass (`passes.ts`): ends it. */
  endPass: () => void = () => undefined;
  /** Set when the workflow is to continue as new: from then on nothing begins any more. */
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
   * Waits until the state is such; without end, or for `timeout` ms. Where the server asks the workflow to continue as new meanwhile,
   * it does not come back.
   * @returns whether it is such
   */
  async until(isSo: (state: SectorState) => boolean, timeout?: number): Promise<boolean> {
    const isEnough = (): boolean => isSo(this.state) || this.mayContinueAsNew();
    if (timeout === undefined) await condition(isEnough);
    else await condition(isEnough, timeout);
    if (!isSo(this.state)) await this.continueIfSuggested();
    return isSo(this.state);
  }

  /**
   * Call it where nothing is lost if the workflow goes on in another run: before an activity is scheduled. Does not come back when the
   * server has asked for it; activities that are under way beside are let go of, and the next run finds their engines.
   */
  async continueIfSuggested(): Promise<void> {
    if (!this.mayContinueAsNew()) return;
    this.continues = true;
    await condition(() => false);
  }

  /** What ends the pass is followed first, so that no run begins with half of a step back. */
  private mayContinueAsNew = (): boolean =>
    workflowInfo().continueAsNewSuggested && !mustEndPass(this.state) && !this.state.ending;

  // ---- what activities are given ----

  phaseInput(phase: EnginePhaseId): PhaseInput {
    const { invalidated, phases } = this.state;
    return {
      ...this.common(),
      phase,
      inputs: Object.fromEntries(DEPENDS_ON[phase].map((id) => [id, this.ref(id)])),
      invalidated: invalidated,
      lastReported: phases[phase].lastReported,
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
