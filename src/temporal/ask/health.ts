/** Whether a worker or an orchestrator currently polls for work, according to the server. */
import type { Client } from '@temporalio/client';
import { controlQueue, WORKFLOW_QUEUE } from '../../contract.js';
import { pollersOf, RECENT_MS, type QueueType } from './pollers.js';

export interface QueueHealth {
  queue: string;
  /** Prefix of the poller's identity. */
  who: string;
  healthy: boolean;
  /** Identity of the last poller, `10.10.10.33#4711`. */
  poller?: string;
  /** Of sealflow, if it tells. */
  version?: string;
  /** Age of the last poll, by this host's clock. */
  secondsAgo?: number;
}

/** Health of a host's worker, by its groups' control queues, which it polls even without a free slot or a mount. */
export const workerHealth = (client: Client, ip: string, groups: readonly number[]): Promise<QueueHealth[]> =>
  Promise.all(groups.map((group) => queueHealth(client, controlQueue(group), 'activity', `${ip}#`)));

/** Health of the orchestrator with this host name. */
export const orchestratorHealth = (client: Client, host: string): Promise<QueueHealth> =>
  queueHealth(client, WORKFLOW_QUEUE, 'workflow', `${host}#`);

/** @param who prefix of the poller's identity */
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
  // The server's clock may be ahead of this host's.
  const age = Math.max(0, Date.now() - own.lastAsked);
  const secondsAgo = Math.round(age / 1000);
  const { identity: poller, version } = own;
  return { queue, who, healthy: age < RECENT_MS, poller, ...(version && { version }), secondsAgo };
}

/** `10.10.10.33#4711 (sealflow 0.1.0) polled 12 s ago (queue sealflow/1/control)` */
export function describeHealth({ queue, who, poller, version, secondsAgo }: QueueHealth): string {
  const name = `${poller}${version ? ` (sealflow ${version})` : ''}`;
  const role = queue === WORKFLOW_QUEUE ? 'orchestrator' : 'worker';
  const what = poller
    ? `${name} polled ${secondsAgo} s ago`
    : `the server knows no ${role} of ${who.slice(0, -1)}`;
  return `${what} (queue ${queue})`;
}
