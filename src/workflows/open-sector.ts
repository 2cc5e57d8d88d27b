import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { refuseNewer, parseSealInput, workflowId } from '../contract.js';
import { PHASE_IDS } from '../phases.js';
import { sectorOf } from '../sector.js';
import { initialState, type SectorState } from './core/state.js';
import { Sector } from './sector.js';

/**
 * Validates the input, as the workflow may have been started by hand (Web UI, Temporal CLI).
 * @throws ApplicationFailure `InvalidInput`; TooNewError, which is not a Temporal failure, so it fails the
 *   workflow task and not the workflow: the server retries the task until a newer orchestrator takes it
 */
export function openSector(input: unknown, continued: SectorState | undefined): Sector {
  refuseNewer('input of the workflow', input);
  const parsed = parseSealInput(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`,
    );
    throw ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidInput');
  }
  const expected = workflowId(sectorOf(parsed.data.sector));
  const actual = workflowInfo().workflowId;
  if (actual !== expected) {
    const message = `workflow ID is ${actual}, but sector ${parsed.data.sector} needs ${expected}`;
    throw ApplicationFailure.nonRetryable(message, 'InvalidInput');
  }
  refuseNewer('state of the previous run', continued);
  return new Sector(continued ? withoutActivities(continued) : initialState(parsed.data));
}

/** The activities of the previous run ended with it: this run schedules its own. */
function withoutActivities(state: SectorState): SectorState {
  const phases = PHASE_IDS.map((id) => [id, { ...state.phases[id], active: false, backingOff: false }]);
  return { ...state, phases: Object.fromEntries(phases) as SectorState['phases'] };
}
