/** `retry`: ends a sector's waits now, both those in the workflow and those at the server. */
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
 * Resumes a sector: resets activities that back off at the server, so that they are dispatched at once, and sends the
 * workflow a retry. If an attempt starts in the meantime, the reset only makes it release its engine, which the next
 * attempt finds: nothing is lost.
 * @returns the workflow's answer
 * @throws WorkflowUpdateFailedError when nothing waits, or the workflow rejects the update; WorkflowNotFoundError
 */
export async function retrySector(client: Client, sector: SectorId, given: Retry = {}): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  const hasOptions = Object.values(given).some((value) => value !== undefined);
  const ended = hasOptions ? 0 : await endWaits(client, await handle.describe());
  try {
    return await updateSector(client, sector, retryUpdate, given);
  } catch (error) {
    const nothingToRetry =
      error instanceof WorkflowUpdateFailedError &&
      error.cause instanceof ApplicationFailure &&
      ['NothingToRetry', 'TooLate'].includes(error.cause.type ?? '');
    if (ended > 0 && nothingToRetry) return 'going on';
    throw error;
  }
}

/** Resets activities that back off at the server. @returns their number */
async function endWaits(
  client: Client,
  { raw, workflowId, runId }: WorkflowExecutionDescription,
): Promise<number> {
  const waiting = (raw.pendingActivities ?? []).filter(isBackingOff);
  for (const { activityId } of waiting) {
    // Keeps the heartbeat details: they record reported failures and observations of engines on other hosts.
    await client.workflowService.resetActivity({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      id: activityId,
    });
  }
  return waiting.length;
}
