/** Sending a running sector something, also in the moment in which its workflow continues as new. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import type { SectorId } from '../../sector.js';

/** In ms; the next run of a workflow is there at once. */
const BETWEEN_MS = 200;
const MAX_SENDS = 10;

/**
 * @returns the workflow's answer
 * @throws WorkflowUpdateFailedError when it refuses; WorkflowNotFoundError when no workflow of the sector runs
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
      // The server turns away what reaches a run that is just ending; what it has accepted is answered. So it is sent to the next.
      const isOver = !(error instanceof WorkflowNotFoundError) || sends === MAX_SENDS;
      if (isOver || (await handle.describe()).status.name !== 'RUNNING') throw error;
      await sleep(BETWEEN_MS);
    }
  }
}
