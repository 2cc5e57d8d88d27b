/** Where a task stands that waits in the queue of its phase for a free host. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { phaseQueue } from '../../contract.js';
import type { PhaseId, SectorSize } from '../../phases.js';
import { isBackingOff, isPending, pendingPhase } from './pending.js';
import { queueState } from './pollers.js';

export interface InQueue {
  phase: PhaseId;
  /** Since when, ISO 8601. */
  since: string;
  /** Tasks of this queue that no host has taken, this one among them; the server's estimate. */
  tasks: number;
  /** Hosts that have asked for tasks of it in the last five minutes. */
  hosts: string[];
}

/**
 * The tasks that wait for a host for the first time; those that were handed back have a reason of their own.
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function tasksInQueue(
  client: Client,
  { pendingActivities }: WorkflowExecutionDescription['raw'],
  { group, size }: { group: number; size: SectorSize },
): Promise<InQueue[]> {
  const waiting = (pendingActivities ?? []).filter(
    (activity) => isPending(activity, 'scheduled') && !isBackingOff(activity),
  );
  const all = await Promise.all(
    waiting.map(async (activity) => {
      const phase = pendingPhase(activity);
      const scheduled = Number(activity.scheduledTime?.seconds ?? 0) * 1000;
      if (!phase || scheduled === 0) return [];
      const { pollers, backlog } = await queueState(client, phaseQueue(group, size, phase), 'activity');
      const hosts = [...new Set(pollers.map(({ identity }) => identity.split('#')[0] ?? ''))].sort();
      return [{ phase, since: new Date(scheduled).toISOString(), tasks: backlog, hosts }];
    }),
  );
  return all.flat();
}

/** `in its queue since 2026-11-01T07:00:00.000Z, with 11 others; 10.0.0.1 10.0.0.2 serve it` */
export function describeInQueue({ since, tasks, hosts }: InQueue): string {
  const others = tasks > 1 ? `, with ${tasks - 1} ${tasks === 2 ? 'other' : 'others'}` : '';
  return `in its queue since ${since}${others}; served by ${hosts.join(' ')}`;
}
