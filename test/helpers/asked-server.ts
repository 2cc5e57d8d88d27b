/** A server as far as it is asked who polls its queues, and what waits in them. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { encodeStatement, type HostStatement } from '../../src/host-statement.js';
import { WhoServes } from '../../src/temporal/ask/who-serves.js';

export type Raw = WorkflowExecutionDescription['raw'];

export const AT = '2026-11-01T07:00:00.000Z';
export const PLACE = { group: 1, size: '2KiB' } as const;
// Temporal's numbers (temporal.api.enums.v1).
export const [SCHEDULED, STARTED, PAUSED] = [1, 2, 4];
export const ORCHESTRATOR = '1 sealflow';
export const P3 = '2 sealflow/1/2KiB/CommitPhase1';
export const P4 = '2 sealflow/1/2KiB/CommitPhase2';
export const CONTROL = '2 sealflow/1/control';
export const HOSTS = '2 sealflow/1/hosts';

/** As protobufjs gives it: a 64-bit integer that is no number. */
export const timestamp = (at: string) => ({ seconds: { toString: () => String(Date.parse(at) / 1000) } });

/**
 * A server with pollers on these queues (by type, 1 workflows, 2 activities), and what it has been asked for.
 * @param hosts what hosts tell, and how many seconds ago
 * @param backlog of each queue
 */
export function serverWith(
  served: string[],
  raw: object = {},
  hosts: [HostStatement, number][] = [],
  backlog = 0,
  /** Who polls a queue, where it is not the usual one. */
  names: Record<string, string[]> = {},
) {
  const asked: string[] = [];
  const described: string[] = [];
  const client = {
    options: { namespace: 'default' },
    connection: { withDeadline: (_: number, call: () => unknown) => call() },
    workflowService: {
      describeTaskQueue: ({ taskQueue: { name }, taskQueueType }: Asked) => {
        const queue = `${taskQueueType} ${name}`;
        asked.push(queue);
        const stats = { approximateBacklogCount: { toString: () => String(backlog) } };
        const told = hosts.map(([host, ago]) => ({
          identity: encodeStatement(host),
          lastAccessTime: { seconds: Math.round(Date.now() / 1000) - ago },
        }));
        if (queue === HOSTS) return Promise.resolve({ pollers: told });
        return Promise.resolve({
          pollers: served.includes(queue)
            ? (names[queue] ?? ['10.0.0.1#7']).map((identity) => ({ identity }))
            : [],
          stats,
        });
      },
    },
    workflow: {
      getHandle: (id: string) => ({ describe: () => Promise.resolve({ raw, nth: described.push(id) }) }),
    },
  } as unknown as Client;
  return { client, whoServes: new WhoServes(client), asked, described };
}

interface Asked {
  taskQueue: { name: string };
  taskQueueType: number;
}

export const pending = (name: string, state: number, at = AT) => ({
  activityType: { name },
  state,
  scheduledTime: timestamp(at),
});
export const activities = (...pendingActivities: object[]) => ({ pendingActivities }) as unknown as Raw;

/** A host of the group, that serves P3 and P4 in one slot. */
export const host = (ip: string, more: Partial<HostStatement> = {}): HostStatement => ({
  ...{ v: 1, ip, pid: 7, version: '0.1.0', size: '2KiB', configured: ['P3', 'P4'] },
  ...{ obstacles: [], pools: [{ phases: ['P3', 'P4'], slots: 1, taken: 0 }], ...more },
});
