/** State of pending activities, as reported by the server. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { ChainActivities } from '../../contract-chain.js';
import { PHASE_IDS, PHASES, type PhaseId } from '../../phases.js';

export type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** temporal.api.enums.v1.PendingActivityState; the enum's package is not a direct dependency. */
const STATE = { scheduled: 1, started: 2, paused: 4 };

/** `scheduled`: no host runs it at the moment. */
export const isPending = ({ state }: PendingActivity, which: keyof typeof STATE): boolean =>
  Number(state) === STATE[which];

/** The activity's phase; undefined for activities that stop or abort a sector. */
export const pendingPhase = ({ activityType }: PendingActivity): PhaseId | undefined =>
  PHASE_IDS.find((id) => PHASES[id].activity === activityType?.name);

/** The phase that cannot begin before an activity has got something from the chain; undefined for all others. */
export const chainPhase = ({ activityType }: PendingActivity): PhaseId | undefined =>
  (({ drawTicket: 'P1', awaitSeed: 'P3', awaitLanded: 'P6' }) as const)[
    activityType?.name as keyof ChainActivities
  ];

/** Whether it has failed or was handed back, and waits at the server for its next attempt. */
export const isBackingOff = (activity: PendingActivity): boolean =>
  isPending(activity, 'scheduled') && activity.lastFailure != null;
