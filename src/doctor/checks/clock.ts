/** Compares this host's clock with the Temporal server's. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { Connection } from '@temporalio/client';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { duration } from '../../units.js';

/**
 * No response of the server carries its time, but the server reports when a task queue was last polled. So doctor polls
 * its own queue, which never has tasks, and cancels the poll once the server lists it. Only the queue's name remains.
 */
const QUEUE = 'sealflow/doctor';
const POLL_TIMEOUT_MS = 10_000;
const DESCRIBE_EVERY_MS = 20;

export interface ClockDifference {
  /** How far this host is ahead of the server, in ms; negative if behind. */
  aheadMs: number;
  /** Maximum error of `aheadMs`, in ms: half of the round trip. */
  accuracyMs: number;
}

/** @throws when the server does not answer within 10 s */
export async function clockDifference(connection: Connection, namespace: string): Promise<ClockDifference> {
  const identity = `doctor ${randomUUID()}`;
  const listed = new AbortController();
  const { workflowService } = connection;
  const taskQueue = { name: QUEUE };
  const sent = Date.now();
  const deadline = sent + POLL_TIMEOUT_MS;
  const poll = connection.withAbortSignal(listed.signal, () =>
    connection.withDeadline(deadline, () =>
      workflowService.pollActivityTaskQueue({ namespace, taskQueue, identity }),
    ),
  );
  // The poll never returns a task. If the server rejects it, the next calls fail too.
  poll.catch(() => undefined);
  try {
    for (;;) {
      const { pollers } = await connection.withDeadline(deadline, () =>
        workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType: 2 /* ACTIVITY */ }),
      );
      const time = pollers.find((poller) => poller.identity === identity)?.lastAccessTime;
      const received = Date.now();
      if (time) return between(sent, tsToMs(time), received);
      if (received > deadline) throw new Error('the server does not report when its queue was polled');
      await sleep(DESCRIBE_EVERY_MS);
    }
  } finally {
    listed.abort();
  }
}

/** The server's time lies between the two times of this host. */
const between = (sent: number, server: number, received: number): ClockDifference => ({
  aheadMs: (sent + received) / 2 - server,
  accuracyMs: (received - sent) / 2,
});

const WARN_ABOVE_MS = 2_000;
/** The heartbeat timeout: beyond it, times of hosts and server cannot be compared. */
const FAIL_ABOVE_MS = 60_000;

export function judgeClock({ aheadMs, accuracyMs }: ClockDifference): Verdict {
  const minMs = Math.abs(aheadMs) - accuracyMs;
  const side = aheadMs < 0 ? 'behind' : 'ahead of';
  const found = `${duration(Math.abs(aheadMs))} ${side} the server (± ${duration(accuracyMs)})`;
  if (minMs <= WARN_ABOVE_MS) return ok(found);
  return (minMs > FAIL_ABOVE_MS ? fail : warn)(
    found,
    `at most ${duration(WARN_ABOVE_MS)}: logs, receipts and the age of tickets are compared across hosts`,
    'run chrony or systemd-timesyncd on both (`timedatectl` shows the state)',
  );
}
