import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { refuseNewer, sealInputSchema, workflowId } from '../contract.js';
import { PHASE_IDS } from '../phases.js';
import { sectorOf } from '../sector.js';
import { initialState, type SectorState } from './core/state.js';
import { Sector } from './sector.js';

/**
 * Checks the input, as the workflow may have been started by hand (Web UI, Temporal CLI).
 * @throws ApplicationFailure `InvalidInput`; TooNewError, which is none of Temporal's failures: it fails the workflow task,
 *   not the workflow, so that the task is offered again until a newer orchestrator takes it
 */
export function openSector(input: unknown, continued: SectorState | undefined): Sector {
  refuseNewer('input of the workflow', input);
  const parsed = sealInputSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`,
    );
    throw ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidInput');
  }
  const expected = workflowId(sectorOf(parsed.data.sector));
  const actual = workflowInfo().workflowId;
  if (actual !== expected) {
    const message = `workflow ID is ${actual}, but sector ${parsed.data.sector} is sealed by ${expected}`;
    throw ApplicationFailure.nonRetryable(message, 'InvalidInput');
  }
  refuseNewer('state of the run before', continued);
  return new Sector(continued ? letGo(continued) : initialState(parsed.data));
}

/** The run before has let its activities go: this one schedules its own. */
function letGo(state: SectorState): SectorState {
  const phases = PHASE_IDS.map((id) => [id, { ...state.phases[id], active: false, backingOff: false }]);
  return { ...state, phases: Object.fromEntries(phases) as SectorState['phases'] };
}
