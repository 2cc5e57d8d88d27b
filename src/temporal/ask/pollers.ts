/** Pollers of a task queue. The server lists each for five minutes after its last poll. */
import type { Client } from '@temporalio/client';
import { DEPLOYMENT } from '../../version.js';

const ANSWER_MS = 10_000;
// temporal.api.enums.v1.TaskQueueType; the enum's package is not a direct dependency.
const TASK_QUEUE_TYPE = { workflow: 1, activity: 2 };
export type QueueType = keyof typeof TASK_QUEUE_TYPE;

export interface Poller {
  /** `10.10.10.33#4711` */
  identity: string;
  /** Server time in ms since 1970. */
  lastAsked: number;
  /** Of sealflow; undefined before 0.1.0 told it. */
  version?: string;
}

/** The server lists a poller for five minutes; one that lives polls at least once a minute (the length of a long poll). */
export const RECENT_MS = 120_000;

/** What the server says of a queue. */
export interface QueueState {
  pollers: Poller[];
  /** Tasks that nobody has taken; an estimate. */
  backlog: number;
}

/** @throws ServiceError of gRPC when the server does not answer */
export const pollersOf = async (client: Client, queue: string, type: QueueType): Promise<Poller[]> =>
  (await queueState(client, queue, type)).pollers;

/** @throws ServiceError of gRPC when the server does not answer */
export async function queueState(
  { workflowService, connection, options }: Client,
  queue: string,
  type: QueueType,
): Promise<QueueState> {
  const { pollers, stats } = await connection.withDeadline(Date.now() + ANSWER_MS, () =>
    workflowService.describeTaskQueue({
      namespace: options.namespace,
      taskQueue: { name: queue },
      taskQueueType: TASK_QUEUE_TYPE[type],
      reportStats: true,
    }),
  );
  return {
    pollers: pollers.map(({ identity, lastAccessTime, deploymentOptions: deployment }) => ({
      identity: identity ?? '',
      lastAsked: Number(lastAccessTime?.seconds ?? 0) * 1000,
      ...(deployment?.deploymentName === DEPLOYMENT && deployment.buildId && { version: deployment.buildId }),
    })),
    backlog: Number(stats?.approximateBacklogCount ?? 0),
  };
}
