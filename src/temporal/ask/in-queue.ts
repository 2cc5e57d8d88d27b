/** Where a task stands that waits in the queue of its phase for a free host. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { phaseQueue } from '../../contract.js';
import type { PhaseId, SectorSize } from '../../phases.js';
import { sinceText } from '../../units.js';
import { isBackingOff, isPending, pendingPhase } from './pending.js';
import { queueState } from './pollers.js';
import type { PhaseService, WhoServes } from './who-serves.js';

export interface InQueue {
  phase: PhaseId;
  /** Since when, ISO 8601. */
  since: string;
  /** Tasks of this queue that no host has taken, this one among them; the server's estimate. */
  tasks: number;
  /** Hosts that serve it. */
  hosts: string[];
  /** Set if all of them are busy. */
  busy?: PhaseService['busy'];
  /** Set if none of them takes a new sector: why. */
  noRoom?: string;
}

/**
 * The tasks that wait for a host for the first time; those that were handed back have a reason of their own.
 * @throws ServiceError of gRPC when the server does not answer
 */
export async function tasksInQueue(
  client: Client,
  { pendingActivities }: WorkflowExecutionDescription['raw'],
  { group, size }: { group: number; size: SectorSize },
  whoServes: WhoServes,
): Promise<InQueue[]> {
  const waiting = (pendingActivities ?? []).filter(
    (activity) => isPending(activity, 'scheduled') && !isBackingOff(activity),
  );
  const all = await Promise.all(
    waiting.map(async (activity) => {
      const phase = pendingPhase(activity);
      const scheduled = Number(activity.scheduledTime?.seconds ?? 0) * 1000;
      if (!phase || scheduled === 0) return [];
      const { hosts, busy, noRoom } = await whoServes.phase(group, size, phase);
      const { backlog: tasks } = await queueState(client, phaseQueue(group, size, phase), 'activity');
      const since = new Date(scheduled).toISOString();
      return [{ phase, since, tasks, hosts, ...(busy && { busy }), ...(noRoom && { noRoom }) }];
    }),
  );
  return all.flat();
}

/** `in its queue since 2026-11-01T07:00:00.000Z, with 11 others; all 2 slots of 10.0.0.1 are taken, one until about 09:30Z` */
export function describeInQueue({ since, tasks, hosts, busy, noRoom }: InQueue): string {
  const others = tasks > 1 ? `, with ${tasks - 1} ${tasks === 2 ? 'other' : 'others'}` : '';
  const who = hosts.join(' ');
  return `in its queue since ${since}${others}; ${describeService(who, busy, noRoom)}`;
}

function describeService(who: string, busy: InQueue['busy'], noRoom: string | undefined): string {
  if (noRoom !== undefined) return `${who} takes no new sector: ${noRoom}`;
  if (!busy) return `served by ${who}`;
  const until =
    busy.freeAbout === undefined ? '' : `, one until about ${sinceText(new Date(busy.freeAbout))}`;
  const slots = busy.slots === 1 ? 'the only slot' : `all ${busy.slots} slots`;
  return `${slots} of ${who} ${busy.slots === 1 ? 'is' : 'are'} taken${until}`;
}
