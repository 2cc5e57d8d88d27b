import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { expect, test } from 'vitest';
import { servedQueues } from '../../../src/temporal/ask/pollers.js';
import { listedWaits, readWaits } from '../../../src/temporal/ask/why-waiting.js';
import {
  sealGroup,
  sealPhase,
  sealSize,
  sealState,
  type SEARCH_ATTRIBUTES,
} from '../../../src/search-attributes.js';

type Raw = WorkflowExecutionDescription['raw'];

const AT = '2026-11-01T07:00:00.000Z';
const PLACE = { group: 1, size: '2KiB' } as const;
// Temporal's numbers (temporal.api.enums.v1).
const [SCHEDULED, STARTED, PAUSED] = [1, 2, 4];
const ORCHESTRATOR = '1 sealflow';
const P3 = '2 sealflow/1/2KiB/CommitPhase1';
const P4 = '2 sealflow/1/2KiB/CommitPhase2';
const CONTROL = '2 sealflow/1/control';

/** As protobufjs gives it: a 64-bit integer that is no number. */
const timestamp = (at: string) => ({ seconds: { toString: () => String(Date.parse(at) / 1000) } });

/** A server with pollers on these queues (by type, 1 workflows, 2 activities), and what it has been asked for. */
function serverWith(served: string[], raw: object = {}) {
  const asked: string[] = [];
  const described: string[] = [];
  const client = {
    options: { namespace: 'default' },
    connection: { withDeadline: (_: number, call: () => unknown) => call() },
    workflowService: {
      describeTaskQueue: ({ taskQueue: { name }, taskQueueType }: Asked) => {
        const queue = `${taskQueueType} ${name}`;
        asked.push(queue);
        return Promise.resolve({ pollers: served.includes(queue) ? [{ identity: '10.0.0.1#7' }] : [] });
      },
    },
    workflow: {
      getHandle: (id: string) => ({ describe: () => Promise.resolve({ raw, nth: described.push(id) }) }),
    },
  } as unknown as Client;
  return { client, isServed: servedQueues(client), asked, described };
}

interface Asked {
  taskQueue: { name: string };
  taskQueueType: number;
}

const pending = (name: string, state: number, at = AT) => ({
  activityType: { name },
  state,
  scheduledTime: timestamp(at),
});
const activities = (...pendingActivities: object[]) => ({ pendingActivities }) as unknown as Raw;

test('a phase that lies in a queue that nobody serves waits, one whose queue is polled does not', async () => {
  const raw = activities(pending('commitPhase2', SCHEDULED), pending('copySector', SCHEDULED));
  const { isServed } = serverWith(['2 sealflow/1/2KiB/CopyTask']);
  expect(await readWaits(raw, PLACE, isServed)).toEqual([
    {
      phase: 'P4',
      queue: 'sealflow/1/2KiB/CommitPhase2',
      why: `nobody serves sealflow/1/2KiB/CommitPhase2, scheduled since ${AT}`,
    },
  ]);
});

test('a phase that is under way waits for nobody, though its host takes no more', async () => {
  const { isServed, asked } = serverWith([]);
  expect(await readWaits(activities(pending('commitPhase2', STARTED)), PLACE, isServed)).toEqual([]);
  expect(asked).toEqual([]);
});

test('a phase that was handed back, and comes into its queue later, has not lain there', async () => {
  const later = pending('commitPhase2', SCHEDULED, new Date(Date.now() + 60_000).toISOString());
  const [wait] = await readWaits(activities(later), PLACE, serverWith([]).isServed);
  expect(wait?.why).toBe('nobody serves sealflow/1/2KiB/CommitPhase2');
});

test('a phase that somebody has paused says so', async () => {
  const [wait] = await readWaits(
    activities(pending('commitPhase2', PAUSED)),
    PLACE,
    serverWith([P4]).isServed,
  );
  expect(wait).toMatchObject({
    phase: 'P4',
    why: 'the activity is paused: resume it with temporal activity unpause',
  });
});

test.each(['stopSector', 'abortSector'])('%s waits for a worker of the group', async (name) => {
  const raw = activities(pending(name, SCHEDULED));
  expect(await readWaits(raw, PLACE, serverWith([P4]).isServed)).toEqual([
    {
      queue: 'sealflow/1/control',
      why: `nobody serves sealflow/1/control, scheduled since ${AT}`,
    },
  ]);
  expect(await readWaits(raw, PLACE, serverWith([CONTROL]).isServed)).toEqual([]);
});

test('a workflow whose next step nobody takes waits for an orchestrator', async () => {
  const raw = {
    pendingWorkflowTask: { state: SCHEDULED, scheduledTime: timestamp(AT) },
  } as unknown as Raw;
  expect(await readWaits(raw, undefined, serverWith([]).isServed)).toEqual([
    {
      queue: 'sealflow',
      why: `no orchestrator runs: nobody serves sealflow, scheduled since ${AT}`,
    },
  ]);
  expect(await readWaits(raw, undefined, serverWith([ORCHESTRATOR]).isServed)).toEqual([]);
});

/** A sector of a list. */
function listed(
  phase: string,
  state = 'queued',
  status = 'RUNNING',
  group: string | undefined = '1',
): WorkflowExecutionInfo {
  const attributes: Partial<Record<keyof typeof SEARCH_ATTRIBUTES, string>> = {
    ...(group && { [sealGroup.name]: group, [sealSize.name]: '2KiB' }),
    [sealPhase.name]: phase,
    [sealState.name]: state,
  };
  const typedSearchAttributes = {
    get: ({ name }: { name: keyof typeof SEARCH_ATTRIBUTES }) => attributes[name],
  };
  return {
    workflowId: 'seal-t01-7',
    status: { name: status },
    typedSearchAttributes,
  } as unknown as WorkflowExecutionInfo;
}

test('of a list only sectors that may wait are looked at, and each queue is asked for once', async () => {
  const raw = activities(pending('commitPhase2', SCHEDULED));
  const { client, isServed, asked, described } = serverWith([ORCHESTRATOR, P3], raw);
  for (let i = 0; i < 3; i++) expect(await listedWaits(client, listed('P3'), isServed)).toEqual([]);
  expect(described).toEqual([]);
  for (let i = 0; i < 3; i++)
    expect(await listedWaits(client, listed('P4'), isServed)).toMatchObject([{ phase: 'P4' }]);
  expect(described).toHaveLength(3);
  expect(asked.sort()).toEqual([ORCHESTRATOR, P3, P4]);
});

test('of a list, a sector that ends needs the control queue alone, and one that has ended nothing', async () => {
  const { client, isServed, asked } = serverWith([ORCHESTRATOR, CONTROL]);
  expect(await listedWaits(client, listed('P4', 'aborting'), isServed)).toEqual([]);
  expect(asked).toEqual([ORCHESTRATOR, CONTROL]);
  expect(await listedWaits(client, listed('P4', 'working', 'FAILED'), isServed)).toEqual([]);
  expect(asked).toHaveLength(2);
});

test('of a list, a sector that no orchestrator has seen yet has no group, and waits for one', async () => {
  const raw = { pendingWorkflowTask: { state: SCHEDULED, scheduledTime: timestamp(AT) } };
  const { client, isServed } = serverWith([], raw);
  const waits = await listedWaits(client, listed('', '', 'RUNNING', ''), isServed);
  expect(waits).toMatchObject([{ queue: 'sealflow' }]);
});
