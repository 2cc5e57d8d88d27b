/** What is known of a sector: the workflow's own words, and what its engines said last. */
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { workflowId } from '../../contract.js';
import type { HeartbeatDetails } from '../../heartbeat.js';
import { statusQuery, type SealStatus } from '../../messages.js';
import { PHASE_IDS, type PhaseId } from '../../phases.js';
import type { SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { isPending, pendingPhase, type PendingActivity } from './pending.js';
import { servedQueues, type IsServed } from './pollers.js';
import { whyWaiting, type Wait } from './why-waiting.js';

export interface SectorStatus extends SealStatus {
  /** Temporal's: RUNNING, COMPLETED, CANCELLED, FAILED, … */
  workflow: string;
  runId: string;
  /** The last heartbeat of each activity that is under way. */
  engines: HeartbeatDetails[];
  /** Why hosts have handed back what waits for one: no slot, no room, … */
  handedBack: { phase: PhaseId; type: string; why: string }[];
  /** What waits for somebody who is not there. */
  waits: Wait[];
}

/**
 * @param isServed of a whole command's run, where it looks at many sectors
 * @returns undefined when no workflow of the sector is known.
 * @throws UserError when no orchestrator answers
 */
export async function sectorStatus(
  client: Client,
  sector: SectorId,
  isServed: IsServed = servedQueues(client),
): Promise<SectorStatus | undefined> {
  const handle = client.workflow.getHandle(workflowId(sector));
  try {
    const description = await handle.describe();
    const status = await askStatus(client, handle).catch(async (error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      const [wait] = await whyWaiting(description.raw, undefined, isServed);
      throw wait ? new UserError(wait.why, { exitCode: 1, hint: error.hint }) : error;
    });
    const pending = description.raw.pendingActivities ?? [];
    const engines = pending.flatMap(({ heartbeatDetails }) => {
      const payload = heartbeatDetails?.payloads?.[0];
      return payload
        ? [client.options.loadedDataConverter.payloadConverter.fromPayload<HeartbeatDetails>(payload)]
        : [];
    });
    const handedBack = pending.flatMap(handBackOf);
    const waits = await whyWaiting(description.raw, status, isServed);
    const { status: workflow, runId } = description;
    return { ...status, workflow: workflow.name, runId, engines, handedBack, waits };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** A task that is with a host at the moment is handed back no more. */
function handBackOf(activity: PendingActivity): SectorStatus['handedBack'] {
  const phase = pendingPhase(activity);
  const { lastFailure } = activity;
  if (!phase || !lastFailure || isPending(activity, 'started')) return [];
  return [{ phase, type: lastFailure.applicationFailureInfo?.type ?? '', why: lastFailure.message ?? '' }];
}

/** An orchestrator that is there answers in well under a second. */
const ANSWER_MS = 10_000;
/** gRPC's numbers for it: the client's own end of patience, and that of the server, which knows the deadline. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;

/**
 * Asked twice: a server that has just been started gives the first query to orchestrators that are still on their way back.
 * @throws UserError when neither is answered
 */
async function askStatus({ connection }: Client, handle: WorkflowHandle): Promise<SealStatus> {
  const ask = () => connection.withDeadline(Date.now() + ANSWER_MS, () => handle.query(statusQuery));
  for (let asked = 1; ; asked++) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      if (asked === 2)
        throw new UserError('no orchestrator answers', { exitCode: 1, hint: 'sealflow orchestrator' });
    }
  }
}

/** Nobody has asked for work lately, or nobody has answered in time. */
function isUnanswered(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : undefined;
  if (!cause) return false;
  const isTimeUp = [CANCELLED, DEADLINE_EXCEEDED].includes(cause.code);
  return isTimeUp || /no poller|deadline exceeded|not scheduled yet/.test(cause.details);
}

/** `P3` or `P4+P5`: the phases that are neither done nor still to come. */
export const activePhases = ({ phases }: SealStatus): string =>
  PHASE_IDS.filter((id) => !['waiting', 'done'].includes(phases[id].state)).join('+');
