/** What only the server knows of a sector under way: what its engines last told, who handed tasks back, what waits, and why. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { HeartbeatDetails } from '../../heartbeat.js';
import type { PhaseId } from '../../phases.js';
import { tasksInQueue, type InQueue } from './in-queue.js';
import { isPending, pendingPhase, type PendingActivity } from './pending.js';
import type { WhoServes } from './who-serves.js';
import { readWaits, type QueueScope, type Wait } from './why-waiting.js';

export interface ServerView {
  /** The last heartbeat of each pending activity. */
  engines: HeartbeatDetails[];
  /** Those of them that are at work: the workflow learns it only later, if at all. */
  atWork: Pick<HeartbeatDetails, 'phase' | 'host'>[];
  /** Why hosts have handed back what now waits for a host: no slot, no room, … Without a phase: a stop or an abort. */
  handedBack: { phase?: PhaseId; type: string; why: string; nextTry?: string }[];
  /** Tasks that nobody serves. */
  waits: Wait[];
  /** Tasks that wait for a free host. */
  inQueue: InQueue[];
}

/** @throws ServiceError of gRPC when the server does not answer */
export async function serverView(
  client: Client,
  raw: WorkflowExecutionDescription['raw'],
  scope: QueueScope,
  whoServes: WhoServes,
): Promise<ServerView> {
  const pending = raw.pendingActivities ?? [];
  const heartbeatOf = ({ heartbeatDetails }: PendingActivity): HeartbeatDetails[] => {
    const payload = heartbeatDetails?.payloads?.[0];
    return payload ? [client.options.loadedDataConverter.payloadConverter.fromPayload(payload)] : [];
  };
  const atWork = pending
    .filter((activity) => isPending(activity, 'started'))
    .flatMap(heartbeatOf)
    .filter(({ works }) => works)
    .map(({ phase, host }) => ({ phase, host }));
  const waits = await readWaits(raw, scope, whoServes);
  const inQueue = await tasksInQueue(client, raw, scope, whoServes);
  return {
    engines: pending.flatMap(heartbeatOf),
    atWork,
    handedBack: pending.flatMap(handBackOf),
    waits,
    inQueue,
  };
}

/**
 * The hand-back of an activity, if any. A phase that was offered again tells by its heartbeats how it goes; a stop or an abort
 * has none, and each try of it lasts until it is done or handed back once more.
 */
function handBackOf(activity: PendingActivity): ServerView['handedBack'] {
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

/** Why the workflow, or the stop or abort of it, waits: one sentence each. */
export const waitsOfWorkflow = ({ waits, handedBack }: Pick<ServerView, 'waits' | 'handedBack'>): string[] =>
  [...waits, ...handedBack].filter(({ phase }) => !phase).map(({ why }) => why);

/** Why a phase waits for a host, if it does. An unserved queue takes precedence over the last host's hand-back. */
export const waitOf = (
  { waits, handedBack }: Pick<ServerView, 'waits' | 'handedBack'>,
  phase: PhaseId,
): { type?: string; why: string; nextTry?: string } | undefined =>
  waits.find((wait) => wait.phase === phase) ?? handedBack.find((wait) => wait.phase === phase);
