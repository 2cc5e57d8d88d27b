/** Why a sector does not go on though nothing has failed: its tasks lie in queues that nobody serves, or are paused. */
import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { controlQueue, phaseQueue, WORKFLOW_QUEUE } from '../../contract.js';
import { PHASE_IDS, SECTOR_SIZE_NAMES, type PhaseId, type SectorSize } from '../../phases.js';
import { sealGroup, sealPhase, sealSize, sealState } from '../../search-attributes.js';
import { isPending, pendingPhase } from './pending.js';
import type { IsServed } from './pollers.js';

export interface Wait {
  /** Not there where the workflow itself waits, or the end of its engines (stop, abort). */
  phase?: PhaseId;
  queue: string;
  /** One sentence: `nobody serves sealflow/1/2KiB/CommitPhase2, where it has lain since 2026-11-29T07:00:00.000Z`. */
  why: string;
}

/** Who seals it: what the names of its queues are made of. */
interface Place {
  group: number;
  size: SectorSize;
}

type Raw = WorkflowExecutionDescription['raw'];
type Time = NonNullable<NonNullable<Raw['pendingWorkflowTask']>['scheduledTime']>;

/** Temporal's number (temporal.api.enums.v1.PendingWorkflowTaskState). */
const TASK_SCHEDULED = 1;

/**
 * What of a sector waits for somebody who is not there. A poller that the server remembers counts as one who serves: with full
 * pools a host asks seldom.
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function whyWaiting(raw: Raw, place: Place | undefined, isServed: IsServed): Promise<Wait[]> {
  const waits: Wait[] = [];
  const task = raw.pendingWorkflowTask;
  if (Number(task?.state) === TASK_SCHEDULED && !(await isServed(WORKFLOW_QUEUE, 'workflow'))) {
    const why = `no orchestrator runs: ${unserved(WORKFLOW_QUEUE, task?.scheduledTime)}`;
    waits.push({ queue: WORKFLOW_QUEUE, why });
  }
  // An activity is scheduled by a workflow that has told its group and size before.
  if (!place) return waits;
  for (const activity of raw.pendingActivities ?? []) {
    const phase = pendingPhase(activity);
    const queue = phase ? phaseQueue(place.group, place.size, phase) : controlQueue(place.group);
    const wait = { ...(phase && { phase }), queue };
    if (isPending(activity, 'paused'))
      waits.push({ ...wait, why: 'it is paused: temporal activity unpause' });
    else if (isPending(activity, 'scheduled') && !(await isServed(queue, 'activity')))
      waits.push({ ...wait, why: unserved(queue, activity.scheduledTime) });
  }
  return waits;
}

/**
 * The same for a sector of a list. Only one that may lie in a queue that nobody serves is looked at by itself: a phase that is
 * under way on a host that takes no more (`drain`) waits for nobody.
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function listedWaits(
  client: Client,
  { workflowId, status, typedSearchAttributes: attributes }: WorkflowExecutionInfo,
  isServed: IsServed,
): Promise<Wait[]> {
  if (status.name !== 'RUNNING') return [];
  const group = attributes.get(sealGroup);
  const size = SECTOR_SIZE_NAMES.find((name) => name === attributes.get(sealSize));
  const place = group !== undefined && size ? { group: Number(group), size } : undefined;
  const queues = place ? queuesOf(place, attributes.get(sealPhase), attributes.get(sealState)) : [];
  const served = await Promise.all([
    isServed(WORKFLOW_QUEUE, 'workflow'),
    ...queues.map((queue) => isServed(queue, 'activity')),
  ]);
  if (!served.includes(false)) return [];
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return whyWaiting(raw, place, isServed);
}

/** @param phases as in the search attribute: `P4+P5` */
function queuesOf({ group, size }: Place, phases = '', state = ''): string[] {
  if (['stopping', 'aborting'].includes(state)) return [controlQueue(group)];
  const active = PHASE_IDS.filter((id) => phases.split('+').includes(id));
  return active.map((phase) => phaseQueue(group, size, phase));
}

function unserved(queue: string, scheduled: Time | null | undefined): string {
  const at = Number(scheduled?.seconds ?? 0) * 1000;
  // A task that was handed back is scheduled for later.
  const since = at > 0 && at <= Date.now() ? `, where it has lain since ${new Date(at).toISOString()}` : '';
  return `nobody serves ${queue}${since}`;
}
