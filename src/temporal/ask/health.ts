/** Whether a worker or an orchestrator asks for work at the moment: in the words of the server that it asks. */
import type { Client } from '@temporalio/client';
import { controlQueue, WORKFLOW_QUEUE } from '../../contract.js';
import { pollersOf, type QueueType } from './pollers.js';

/** The server keeps pollers for five minutes; one that lives asks again each minute at the latest (a long poll's length). */
const RECENT_MS = 120_000;

export interface QueueHealth {
  queue: string;
  /** Who is meant: an identity begins with it. */
  who: string;
  healthy: boolean;
  /** Who asked last, `10.10.10.33#4711`. */
  poller?: string;
  /** By the clock of this host. */
  secondsAgo?: number;
}

/** The worker of a host, by the control queues of its groups: they are polled whether or not there is a slot or a mount. */
export const workerHealth = (client: Client, ip: string, groups: readonly number[]): Promise<QueueHealth[]> =>
  Promise.all(groups.map((group) => queueHealth(client, controlQueue(group), 'activity', `${ip}#`)));

/** An orchestrator of this host name. */
export const orchestratorHealth = (client: Client, host: string): Promise<QueueHealth> =>
  queueHealth(client, WORKFLOW_QUEUE, 'workflow', `${host}#`);

/** @param who its poller's identity begins with this */
async function queueHealth(
  client: Client,
  queue: string,
  type: QueueType,
  who: string,
): Promise<QueueHealth> {
  const own = (await pollersOf(client, queue, type))
    .filter(({ identity }) => identity.startsWith(who))
    .sort((a, b) => b.lastAsked - a.lastAsked)[0];
  if (!own) return { queue, who, healthy: false };
  // The server's clock may be ahead of ours.
  const age = Math.max(0, Date.now() - own.lastAsked);
  const secondsAgo = Math.round(age / 1000);
  return { queue, who, healthy: age < RECENT_MS, poller: own.identity, secondsAgo };
}

/** `10.10.10.33#4711 asked for work 12 s ago (queue sealflow/1/control)` */
export function describeHealth({ queue, who, poller, secondsAgo }: QueueHealth): string {
  const what = poller ? `${poller} asked for work ${secondsAgo} s ago` : `no ${who}… asks for work`;
  return `${what} (queue ${queue})`;
}
