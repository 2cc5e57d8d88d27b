/** `retry`: what a sector waits for ends now, whether the workflow knows of it or only the server does. */
import {
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import { retryUpdate, type Retry } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { isBackingOff } from './pending.js';
import { updateSector } from './update-sector.js';

/**
 * Lets a sector go on: phases that wait at the server between two attempts are offered at once, and the workflow is told. An attempt
 * that begins meanwhile only lets its engine go, which the next one finds: nothing is lost by being late.
 * @returns the workflow's answer
 * @throws WorkflowUpdateFailedError when nothing waits, or the workflow refuses; WorkflowNotFoundError
 */
export async function retrySector(client: Client, sector: SectorId, given: Retry = {}): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  const asksForMore = Object.values(given).some((value) => value !== undefined);
  const ended = asksForMore ? 0 : await endWaits(client, await handle.describe());
  try {
    return await updateSector(client, sector, retryUpdate, given);
  } catch (error) {
    const isNothingElse =
      error instanceof WorkflowUpdateFailedError &&
      error.cause instanceof ApplicationFailure &&
      ['NothingToRetry', 'TooLate'].includes(error.cause.type ?? '');
    if (ended > 0 && isNothingElse) return 'going on';
    throw error;
  }
}

/** @returns how many there were */
async function endWaits(
  client: Client,
  { raw, workflowId, runId }: WorkflowExecutionDescription,
): Promise<number> {
  const waiting = (raw.pendingActivities ?? []).filter(isBackingOff);
  for (const { activityId } of waiting) {
    // The heartbeat stays: it tells which failures were reported, and what was seen of engines elsewhere.
    await client.workflowService.resetActivity({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      id: activityId,
    });
  }
  return waiting.length;
}
