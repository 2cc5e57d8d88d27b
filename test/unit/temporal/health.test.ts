import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { describeHealth, orchestratorHealth, workerHealth } from '../../../src/temporal/ask/health.js';

interface Poller {
  identity: string;
  /** When it asked, in seconds before now. */
  ago: number;
  deployment?: { deploymentName: string; buildId: string };
}

/** A server that knows these pollers, by queue and its type (1 workflows, 2 activities). */
function serverWith(pollers: Record<string, Poller[]>): Client {
  const now = Date.now() / 1000;
  const describeTaskQueue = ({ taskQueue, taskQueueType }: Asked) =>
    Promise.resolve({
      pollers: (pollers[`${taskQueueType} ${taskQueue.name}`] ?? []).map(({ identity, ago, deployment }) => ({
        identity,
        deploymentOptions: deployment ?? null,
        // As protobufjs gives it: a 64-bit integer that is no number.
        lastAccessTime: { seconds: { toString: () => String(Math.floor(now - ago)) } },
      })),
    });
  return {
    options: { namespace: 'default' },
    connection: { withDeadline: (_: number, call: () => unknown) => call() },
    workflowService: { describeTaskQueue },
  } as unknown as Client;
}

interface Asked {
  taskQueue: { name: string };
  taskQueueType: number;
}

test('a worker is healthy when it has asked lately in each of its groups', async () => {
  const client = serverWith({
    '2 sealflow/1/control': [
      { identity: '10.0.0.1#5', ago: 200 },
      { identity: '10.0.0.1#7', ago: 50 },
    ],
    '2 sealflow/2/control': [{ identity: '10.0.0.1#7', ago: 121 }],
  });
  const [first, second] = await workerHealth(client, '10.0.0.1', [1, 2]);
  expect(first).toMatchObject({ queue: 'sealflow/1/control', healthy: true, poller: '10.0.0.1#7' });
  expect(second).toMatchObject({ queue: 'sealflow/2/control', healthy: false, poller: '10.0.0.1#7' });
  if (second)
    expect(describeHealth({ ...second, secondsAgo: 121 })).toBe(
      '10.0.0.1#7 polled 121 s ago (queue sealflow/2/control)',
    );
});

test('a worker of another address, or of a longer one, is not this one', async () => {
  const client = serverWith({ '2 sealflow/1/control': [{ identity: '10.0.0.11#5', ago: 1 }] });
  const [health] = await workerHealth(client, '10.0.0.1', [1]);
  expect(health).toEqual({ queue: 'sealflow/1/control', who: '10.0.0.1#', healthy: false });
  if (health)
    expect(describeHealth(health)).toBe('the server knows no worker of 10.0.0.1 (queue sealflow/1/control)');
});

test('an orchestrator is asked for among those that poll for workflows', async () => {
  const client = serverWith({
    '1 sealflow': [{ identity: 'seal-1#9', ago: 3 }],
    '2 sealflow': [{ identity: 'seal-2#9', ago: 3 }],
  });
  expect(await orchestratorHealth(client, 'seal-1')).toMatchObject({ healthy: true, poller: 'seal-1#9' });
  expect(await orchestratorHealth(client, 'seal-2')).toMatchObject({ healthy: false });
});

test('a server whose clock is ahead makes nobody ill', async () => {
  const client = serverWith({ '1 sealflow': [{ identity: 'seal-1#9', ago: -600 }] });
  expect(await orchestratorHealth(client, 'seal-1')).toMatchObject({ healthy: true, secondsAgo: 0 });
});

test('versions are told of those that tell them, and are of sealflow', async () => {
  const at = (identity: string, deploymentName: string) => ({
    ...{ identity, ago: 3 },
    deployment: { deploymentName, buildId: '0.1.0' },
  });
  const client = serverWith({ '1 sealflow': [at('seal-1#9', 'sealflow'), at('seal-2#9', 'another')] });
  const [own, other] = [
    await orchestratorHealth(client, 'seal-1'),
    await orchestratorHealth(client, 'seal-2'),
  ];
  expect([own.version, other.version]).toEqual(['0.1.0', undefined]);
  expect(describeHealth({ ...own, secondsAgo: 3 })).toBe(
    'seal-1#9 (sealflow 0.1.0) polled 3 s ago (queue sealflow)',
  );
});
