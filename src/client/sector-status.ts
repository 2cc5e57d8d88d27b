/** What is known of a sector: the workflow's own words, and what its engines said last. */
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { workflowId, type HeartbeatDetails } from '../contract.js';
import { statusQuery, type SealStatus } from '../messages.js';
import { PHASE_IDS } from '../phases.js';
import type { SectorId } from '../sector.js';
import { UserError } from '../user-error.js';

export interface SectorStatus extends SealStatus {
  /** Temporal's: RUNNING, COMPLETED, CANCELLED, FAILED, … */
  workflow: string;
  runId: string;
  /** The last heartbeat of each activity that is under way. */
  engines: HeartbeatDetails[];
}

/** @returns undefined when no workflow of the sector is known. */
export async function sectorStatus(client: Client, sector: SectorId): Promise<SectorStatus | undefined> {
  const handle = client.workflow.getHandle(workflowId(sector));
  try {
    const description = await handle.describe();
    const status = await askStatus(handle);
    const engines = (description.raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => {
      const payload = heartbeatDetails?.payloads?.[0];
      return payload
        ? [client.options.loadedDataConverter.payloadConverter.fromPayload<HeartbeatDetails>(payload)]
        : [];
    });
    return { ...status, workflow: description.status.name, runId: description.runId, engines };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (isUnanswered(error as Error))
      throw new UserError('no orchestrator answers', { exitCode: 1, hint: 'sealflow orchestrator' });
    throw error;
  }
}

/** Asked twice: a server that has just been started gives the first query to orchestrators that are still on their way back. */
async function askStatus(handle: WorkflowHandle): Promise<SealStatus> {
  try {
    return await handle.query(statusQuery);
  } catch (error) {
    if (!isUnanswered(error as Error)) throw error;
    return await handle.query(statusQuery);
  }
}

/** In the server's words; it has a code of its own for neither. */
function isUnanswered({ message, cause }: Error): boolean {
  const words = `${message} ${cause instanceof Error ? cause.message : ''}`;
  return /no poller|timed out before a worker/.test(words);
}

/** `P3` or `P4+P5`: the phases that are neither done nor still to come. */
export const activePhases = ({ phases }: SealStatus): string =>
  PHASE_IDS.filter((id) => !['waiting', 'done'].includes(phases[id].state)).join('+');
