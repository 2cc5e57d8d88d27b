/** `priority`: moves a sector before or behind others, also in the queues where it waits already. */
import type { Client } from '@temporalio/client';
import { NORMAL, PREFERRED, workflowId } from '../../contract.js';
import { setPriorityUpdate } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { isPending, pendingPhase } from './pending.js';
import { updateSector } from './update-sector.js';

/**
 * @returns the workflow's answer, and which of its waiting tasks have moved
 * @throws WorkflowUpdateFailedError when the workflow has ended or is ending; WorkflowNotFoundError
 */
export async function prioritizeSector(client: Client, sector: SectorId, isHigh: boolean): Promise<string> {
  // First the workflow: what it schedules from now on has the new priority, so that no task is missed in between.
  const answer = await updateSector(client, sector, setPriorityUpdate, { priority: isHigh });
  const moved = await moveWaiting(client, sector, isHigh ? PREFERRED : NORMAL);
  return moved.length > 0 ? `${answer}; moved in the queue of ${moved.join(' ')}` : answer;
}

/**
 * What was begun goes before both, and stays there.
 * @returns the phases whose tasks were moved
 */
export async function moveWaiting(client: Client, sector: SectorId, priorityKey: number): Promise<string[]> {
  const { raw, workflowId: id, runId } = await client.workflow.getHandle(workflowId(sector)).describe();
  const moved: string[] = [];
  for (const activity of raw.pendingActivities ?? []) {
    const phase = pendingPhase(activity);
    const key = activity.priority?.priorityKey;
    const isMovable = key === NORMAL || key === PREFERRED;
    if (!phase || !isMovable || key === priorityKey || !isPending(activity, 'scheduled')) continue;
    await client.workflowService.updateActivityOptions({
      namespace: client.options.namespace,
      execution: { workflowId: id, runId },
      id: activity.activityId,
      activityOptions: { priority: { priorityKey } },
      updateMask: { paths: ['priority.priority_key'] },
    });
    moved.push(phase);
  }
  return moved;
}
