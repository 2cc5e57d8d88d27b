/** Sends updates to a running sector, even while its workflow continues as new. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import type { SectorId } from '../../sector.js';

/** The next run of a workflow starts at once. */
const RESEND_MS = 200;
const MAX_SENDS = 10;

/**
 * @returns the workflow's answer
 * @throws WorkflowUpdateFailedError when the workflow rejects it; WorkflowNotFoundError when no workflow is running
 */
export async function updateSector<T>(
  client: Client,
  sector: SectorId,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  for (let sends = 1; ; sends++) {
    try {
      return await handle.executeUpdate(update, { args: [what] });
    } catch (error) {
      // The server rejects updates of a run that is just closing (accepted ones are answered), so send it to the next run.
      const isFinal = !(error instanceof WorkflowNotFoundError) || sends === MAX_SENDS;
      if (isFinal || (await handle.describe()).status.name !== 'RUNNING') throw error;
      await sleep(RESEND_MS);
    }
  }
}
