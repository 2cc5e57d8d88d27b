/** Sends updates to a running sector, even while its workflow continues as new. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import { sectorName, type SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { whyUnanswered } from './ready.js';

/** The next run of a workflow starts at once. */
const RESEND_MS = 200;
const MAX_SENDS = 10;
/** A running orchestrator answers in well under a second. */
const ANSWER_MS = 10_000;
/** The server may give the first to an orchestrator that has just gone. */
const MAX_WAITS = 2;

/**
 * @returns the workflow's answer
 * @throws WorkflowUpdateFailedError when the workflow rejects it; WorkflowNotFoundError when no workflow is running;
 *   UserError when nothing answers
 */
export async function updateSector<T>(
  client: Client,
  sector: SectorId,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  // With an ID it is done once, however often it is sent.
  const options = { args: [what] as [T], updateId: randomUUID() };
  let waits = 0;
  for (let sends = 1; ; sends++) {
    try {
      return await client.connection.withDeadline(Date.now() + ANSWER_MS, () =>
        handle.executeUpdate(update, options),
      );
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
        if (++waits === MAX_WAITS) throw await unanswered(client, sector);
        continue;
      }
      // The server rejects updates of a run that is just closing (accepted ones are answered), so send it to the next run.
      const isFinal = !(error instanceof WorkflowNotFoundError) || sends === MAX_SENDS;
      if (isFinal || (await handle.describe()).status.name !== 'RUNNING') throw error;
      await sleep(RESEND_MS);
    }
  }
}

/** @throws NotReadyError when no sector could answer */
async function unanswered(client: Client, sector: SectorId): Promise<UserError> {
  const { message, hint, exitCode } = await whyUnanswered(client);
  return new UserError(`${sectorName(sector)}: ${message}`, {
    exitCode,
    hint: `${hint}; then give the command again: twice does no harm`,
  });
}
