/** Why a sector makes no progress although nothing has failed: nobody serves its queues, or its tasks are paused. */
import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { TypedSearchAttributes } from '@temporalio/common';
import { CHAIN_QUEUE, controlQueue, phaseQueue, WORKFLOW_QUEUE } from '../../contract.js';
import { PHASE_IDS, SECTOR_SIZE_NAMES, type PhaseId, type SectorSize } from '../../phases.js';
import { sealGroup, sealPhase, sealSize, sealState } from '../../search-attributes.js';
import { chainPhase, isPending, pendingPhase } from './pending.js';
import type { PhaseService, WhoServes } from './who-serves.js';

export interface Wait {
  /** Undefined if the workflow itself waits, or a stop or abort does. */
  phase?: PhaseId;
  queue: string;
  /** One sentence: `nobody serves sealflow/1/2KiB/CommitPhase2; 10.0.0.3: drained since 14:03Z`. */
  why: string;
}

/** Group and size, which determine the names of a sector's queues. */
export interface QueueScope {
  group: number;
  size: SectorSize;
}

type Raw = WorkflowExecutionDescription['raw'];
type Time = NonNullable<NonNullable<Raw['pendingWorkflowTask']>['scheduledTime']>;

/** temporal.api.enums.v1.PendingWorkflowTaskState. */
const TASK_SCHEDULED = 1;

/**
 * The tasks of a sector that nobody serves or that are paused.
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function readWaits(
  raw: Raw,
  scope: QueueScope | undefined,
  whoServes: WhoServes,
): Promise<Wait[]> {
  const waits: Wait[] = [];
  const task = raw.pendingWorkflowTask;
  if (Number(task?.state) === TASK_SCHEDULED && !(await whoServes.orchestrator())) {
    const why = `no orchestrator runs: ${describeUnserved(WORKFLOW_QUEUE, task?.scheduledTime)}`;
    waits.push({ queue: WORKFLOW_QUEUE, why });
  }
  // A workflow sets its group and size before it schedules activities.
  if (!scope) return waits;
  for (const activity of raw.pendingActivities ?? []) {
    const ofChain = chainPhase(activity);
    if (ofChain && isPending(activity, 'scheduled') && !(await whoServes.chain())) {
      const why = `no orchestrator watches the chain: ${describeUnserved(CHAIN_QUEUE, activity.scheduledTime)}`;
      waits.push({ phase: ofChain, queue: CHAIN_QUEUE, why });
    }
    if (ofChain) continue;
    const phase = pendingPhase(activity);
    const queue = phase ? phaseQueue(scope.group, scope.size, phase) : controlQueue(scope.group);
    const wait = { ...(phase && { phase }), queue };
    if (isPending(activity, 'paused'))
      waits.push({ ...wait, why: 'the activity is paused: resume it with temporal activity unpause' });
    if (!isPending(activity, 'scheduled')) continue;
    const service = phase && (await whoServes.phase(scope.group, scope.size, phase));
    const isServed = service ? service.hosts.length > 0 : await whoServes.control(scope.group);
    if (!isServed) waits.push({ ...wait, why: describeUnserved(queue, activity.scheduledTime, service) });
  }
  return waits;
}

/**
 * The same for a sector of a list. Describes a workflow only if one of its queues is unserved: even then its phase may
 * be running, on a host that takes no new work (`drain`).
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function listedWaits(
  client: Client,
  { workflowId, status, typedSearchAttributes: attributes }: WorkflowExecutionInfo,
  whoServes: WhoServes,
): Promise<Wait[]> {
  if (status.name !== 'RUNNING') return [];
  const scope = scopeOf(attributes);
  const served = await Promise.all([
    whoServes.orchestrator(),
    ...(scope ? servedOf(scope, whoServes, attributes.get(sealPhase), attributes.get(sealState)) : []),
  ]);
  if (!served.includes(false)) return [];
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return readWaits(raw, scope, whoServes);
}

/** @returns undefined before the workflow's first task, which sets them */
export function scopeOf(attributes: TypedSearchAttributes): QueueScope | undefined {
  const group = attributes.get(sealGroup);
  const size = SECTOR_SIZE_NAMES.find((name) => name === attributes.get(sealSize));
  return group !== undefined && size ? { group: Number(group), size } : undefined;
}

/** @param phases as in the search attribute: `P4+P5` */
function servedOf(
  { group, size }: QueueScope,
  whoServes: WhoServes,
  phases = '',
  state = '',
): Promise<boolean>[] {
  if (['stopping', 'aborting'].includes(state)) return [whoServes.control(group)];
  const active = PHASE_IDS.filter((id) => phases.split('+').includes(id));
  return active.map(async (phase) => (await whoServes.phase(group, size, phase)).hosts.length > 0);
}

function describeUnserved(queue: string, scheduled: Time | null | undefined, service?: PhaseService): string {
  const at = Number(scheduled?.seconds ?? 0) * 1000;
  // A handed-back task is scheduled for later.
  const since = at > 0 && at <= Date.now() ? `, scheduled since ${new Date(at).toISOString()}` : '';
  return [`nobody serves ${queue}${since}`, ...(service?.not ?? [])].join('; ');
}
