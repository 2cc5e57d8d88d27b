/** This host's clock against the Temporal server's. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { Connection } from '@temporalio/client';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { duration } from '../../units.js';

/**
 * No answer of the server carries its time, but it notes when a queue was last asked, and tells that. So doctor asks a queue of
 * its own, into which nobody puts anything, and takes the question back as soon as it is seen. What stays is the queue's name.
 */
const QUEUE = 'sealflow/doctor';
const QUESTION_MS = 10_000;
const POLL_MS = 20;

export interface ClockDifference {
  /** How far this host is ahead of the server, in ms; negative: behind. */
  aheadMs: number;
  /** It is off by no more than this, in ms: half of the round trip. */
  accuracyMs: number;
}

/** @throws when the server does not answer in time */
export async function clockDifference(connection: Connection, namespace: string): Promise<ClockDifference> {
  const identity = `doctor ${randomUUID()}`;
  const seen = new AbortController();
  const { workflowService } = connection;
  const taskQueue = { name: QUEUE };
  const sent = Date.now();
  const deadline = sent + QUESTION_MS;
  const question = connection.withAbortSignal(seen.signal, () =>
    connection.withDeadline(deadline, () =>
      workflowService.pollActivityTaskQueue({ namespace, taskQueue, identity }),
    ),
  );
  // Its only answer is that nothing is there; a refusal shows in what follows.
  question.catch(() => undefined);
  try {
    for (;;) {
      const { pollers } = await connection.withDeadline(deadline, () =>
        workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType: 2 /* ACTIVITY */ }),
      );
      const time = pollers.find((poller) => poller.identity === identity)?.lastAccessTime;
      const received = Date.now();
      if (time) return between(sent, tsToMs(time), received);
      if (received > deadline) throw new Error('the server does not show when its queue was asked');
      await sleep(POLL_MS);
    }
  } finally {
    seen.abort();
  }
}

/** The server's moment lies between the two of this host. */
const between = (sent: number, server: number, received: number): ClockDifference => ({
  aheadMs: (sent + received) / 2 - server,
  accuracyMs: (received - sent) / 2,
});

const MUCH_MS = 2_000;
/** Temporal's heartbeat timeout: from here on times of hosts and server say nothing about each other. */
const TOO_MUCH_MS = 60_000;

export function judgeClock({ aheadMs, accuracyMs }: ClockDifference): Verdict {
  const surely = Math.abs(aheadMs) - accuracyMs;
  const side = aheadMs < 0 ? 'behind' : 'ahead of';
  const found = `${duration(Math.abs(aheadMs))} ${side} the server (± ${duration(accuracyMs)})`;
  if (surely <= MUCH_MS) return ok(found);
  return (surely > TOO_MUCH_MS ? fail : warn)(
    found,
    `${duration(MUCH_MS)} at most: logs, receipts and the age of tickets are compared across hosts`,
    'let chrony or systemd-timesyncd run on both (`timedatectl`)',
  );
}
