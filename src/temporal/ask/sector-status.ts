/** Status of a sector: the workflow's own status, and the last heartbeats of its engines. */
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
import { GRPC, hasCode } from '../embedded/grpc.js';
import { needsOf } from './deadline.js';
import { tasksInQueue, type InQueue } from './in-queue.js';
import { isPending, pendingPhase, type PendingActivity } from './pending.js';
import { NotReadyError, whyUnanswered } from './ready.js';
import { WhoServes } from './who-serves.js';
import { readWaits, type Wait } from './why-waiting.js';

export interface SectorStatus extends SealStatus {
  /** Temporal's: RUNNING, COMPLETED, CANCELLED, FAILED, … */
  workflow: string;
  runId: string;
  /** The last heartbeat of each pending activity. */
  engines: HeartbeatDetails[];
  /** Why hosts have handed back what now waits for a host: no slot, no room, … Without a phase: a stop or an abort. */
  handedBack: { phase?: PhaseId; type: string; why: string; nextTry?: string }[];
  /** Tasks that nobody serves. */
  waits: Wait[];
  /** Tasks that wait for a free host. */
  inQueue: InQueue[];
  /** What P1 and P2 still take, in ms, while the ticket runs. */
  needsMs?: number;
}

/**
 * @param whoServes shared by a whole command run, if it inspects many sectors
 * @returns undefined when the sector has no workflow
 * @throws UserError when no orchestrator answers
 */
export async function sectorStatus(
  client: Client,
  sector: SectorId,
  whoServes = new WhoServes(client),
): Promise<SectorStatus | undefined> {
  const handle = client.workflow.getHandle(workflowId(sector));
  try {
    const description = await handle.describe();
    const status = await askStatus(client, handle).catch(async (error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      const [wait] = await readWaits(description.raw, undefined, whoServes);
      throw wait ? new NotReadyError(wait.why, { exitCode: 1, hint: error.hint }) : error;
    });
    const pending = description.raw.pendingActivities ?? [];
    const engines = pending.flatMap(({ heartbeatDetails }) => {
      const payload = heartbeatDetails?.payloads?.[0];
      return payload
        ? [client.options.loadedDataConverter.payloadConverter.fromPayload<HeartbeatDetails>(payload)]
        : [];
    });
    const handedBack = pending.flatMap(handBackOf);
    const waits = await readWaits(description.raw, status, whoServes);
    const inQueue = await tasksInQueue(client, description.raw, status, whoServes);
    const needsMs = await needsOf(status, engines, whoServes);
    const { status: workflow, runId } = description;
    const running = { engines, handedBack, waits, inQueue, ...(needsMs !== undefined && { needsMs }) };
    return { ...status, workflow: workflow.name, runId, ...running };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * The hand-back of an activity, if any. A phase that was offered again tells by its heartbeats how it goes; a stop or an abort
 * has none, and each try of it lasts until it is done or handed back once more.
 */
function handBackOf(activity: PendingActivity): SectorStatus['handedBack'] {
  const phase = pendingPhase(activity);
  const { lastFailure } = activity;
  const isTriedAgain = isPending(activity, 'started');
  if (!lastFailure || (phase && isTriedAgain)) return [];
  return [
    {
      ...(phase && { phase }),
      type: lastFailure.applicationFailureInfo?.type ?? '',
      why: `${lastFailure.message ?? ''}${isTriedAgain ? '; it is being tried again' : ''}`,
      ...nextTryOf(activity),
    },
  ];
}

/** When the server offers it again, ISO 8601; nothing once that is past. */
function nextTryOf({ scheduledTime }: PendingActivity): { nextTry?: string } {
  const at = Number(scheduledTime?.seconds ?? 0) * 1000;
  return at > Date.now() ? { nextTry: new Date(at).toISOString() } : {};
}

/** A running orchestrator answers in well under a second. */
const ANSWER_MS = 10_000;
/** gRPC codes of an expired deadline: CANCELLED from the client, DEADLINE_EXCEEDED from the server. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;

/**
 * The workflow's own status. Queries twice: a server that has just started gives the first query to orchestrators that are still reconnecting.
 * @throws UserError when neither query is answered
 */
export async function askStatus(client: Client, handle: WorkflowHandle): Promise<SealStatus> {
  const ask = () => client.connection.withDeadline(Date.now() + ANSWER_MS, () => handle.query(statusQuery));
  for (let queries = 1; ; queries++) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw cannotTell(handle, error) ?? error;
      if (queries === 2) throw await whyUnanswered(client);
    }
  }
}

/** Its tasks fail, or it has ended before its first one: the server refuses the query. */
function cannotTell({ workflowId: id }: WorkflowHandle, error: unknown): UserError | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!hasCode(cause, GRPC.failedPrecondition)) return undefined;
  return new UserError(`workflow ${id} cannot tell its status: ${cause.details}`, {
    exitCode: 1,
    hint: 'its history in the Web UI says why; if it has ended, start the sector again',
    cause: error,
  });
}

/** Whether nobody has polled lately, or nobody answered in time. */
function isUnanswered(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : undefined;
  if (!cause) return false;
  const isTimeUp = [CANCELLED, DEADLINE_EXCEEDED].includes(cause.code);
  return isTimeUp || /no poller|deadline exceeded|not scheduled yet/.test(cause.details);
}

/** The phases that are neither done nor still to come. */
export const activePhases = ({ phases }: SealStatus): PhaseId[] =>
  PHASE_IDS.filter((id) => !['waiting', 'done'].includes(phases[id].state));

/** What upstream must give next; of a sector that follows the chain, an activity says what it waits for. */
export function askedFor({ sector, state, chain }: SealStatus): string | undefined {
  if (chain) return undefined;
  if (state === 'waiting-for-seed')
    return `waits for its seed, the chain's randomness after the pre-commit: sealflow seed ${sector} HEX`;
  if (state === 'waiting-for-landed')
    return `waits for its proof to be on chain; once it is: sealflow landed ${sector}`;
  return undefined;
}

/** Why the workflow, or the stop or abort of it, waits: one sentence each. */
export const waitsOfWorkflow = ({
  waits,
  handedBack,
}: Pick<SectorStatus, 'waits' | 'handedBack'>): string[] =>
  [...waits, ...handedBack].filter(({ phase }) => !phase).map(({ why }) => why);

/** Why a phase waits for a host, if it does. An unserved queue takes precedence over the last host's hand-back. */
export const waitOf = (
  { waits, handedBack }: Pick<SectorStatus, 'waits' | 'handedBack'>,
  phase: PhaseId,
): { type?: string; why: string; nextTry?: string } | undefined =>
  waits.find((wait) => wait.phase === phase) ?? handedBack.find((wait) => wait.phase === phase);
