/** What the server says of an activity that has not ended. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { PHASE_IDS, PHASES, type PhaseId } from '../../phases.js';

export type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Temporal's numbers (temporal.api.enums.v1.PendingActivityState); the enum lies in a package that is not ours. */
const STATE = { scheduled: 1, started: 2, paused: 4 };

/** `scheduled`: it is with no host at the moment. */
export const isPending = ({ state }: PendingActivity, which: keyof typeof STATE): boolean =>
  Number(state) === STATE[which];

/** Undefined for what stops or aborts a sector. */
export const pendingPhase = ({ activityType }: PendingActivity): PhaseId | undefined =>
  PHASE_IDS.find((id) => PHASES[id].activity === activityType?.name);

/** Whether it has failed, or was handed back, and waits at the server for its next attempt. */
export const isBackingOff = (activity: PendingActivity): boolean =>
  isPending(activity, 'scheduled') && activity.lastFailure != null;
