import type { WorkflowExecutionInfo } from '@temporalio/client';
import { expect, test } from 'vitest';
import { listedWaits, readWaits } from '../../../src/temporal/ask/why-waiting.js';
import {
  sealGroup,
  sealPhase,
  sealSize,
  sealState,
  type SEARCH_ATTRIBUTES,
} from '../../../src/search-attributes.js';
import {
  activities,
  AT,
  CONTROL,
  HOSTS,
  ORCHESTRATOR,
  P3,
  P4,
  PAUSED,
  pending,
  PLACE,
  SCHEDULED,
  serverWith,
  STARTED,
  timestamp,
  type Raw,
} from '../../helpers/asked-server.js';

test('a phase that lies in a queue that nobody serves waits, one whose queue is polled does not', async () => {
  const raw = activities(pending('commitPhase2', SCHEDULED), pending('copySector', SCHEDULED));
  const { whoServes } = serverWith(['2 sealflow/1/2KiB/CopyTask']);
  expect(await readWaits(raw, PLACE, whoServes)).toEqual([
    {
      phase: 'P4',
      queue: 'sealflow/1/2KiB/CommitPhase2',
      why: `nobody serves sealflow/1/2KiB/CommitPhase2, scheduled since ${AT}`,
    },
  ]);
});

test('a phase that is under way waits for nobody, though its host takes no more', async () => {
  const { whoServes, asked } = serverWith([]);
  expect(await readWaits(activities(pending('commitPhase2', STARTED)), PLACE, whoServes)).toEqual([]);
  expect(asked).toEqual([]);
});

test('a phase that was handed back, and comes into its queue later, has not lain there', async () => {
  const later = pending('commitPhase2', SCHEDULED, new Date(Date.now() + 60_000).toISOString());
  const [wait] = await readWaits(activities(later), PLACE, serverWith([]).whoServes);
  expect(wait?.why).toBe('nobody serves sealflow/1/2KiB/CommitPhase2');
});

test('a phase that somebody has paused says so', async () => {
  const [wait] = await readWaits(
    activities(pending('commitPhase2', PAUSED)),
    PLACE,
    serverWith([P4]).whoServes,
  );
  expect(wait).toMatchObject({
    phase: 'P4',
    why: 'the activity is paused: resume it with temporal activity unpause',
  });
});

test.each(['stopSector', 'abortSector'])('%s waits for a worker of the group', async (name) => {
  const raw = activities(pending(name, SCHEDULED));
  expect(await readWaits(raw, PLACE, serverWith([P4]).whoServes)).toEqual([
    {
      queue: 'sealflow/1/control',
      why: `nobody serves sealflow/1/control, scheduled since ${AT}`,
    },
  ]);
  expect(await readWaits(raw, PLACE, serverWith([CONTROL]).whoServes)).toEqual([]);
});

test('a workflow whose next step nobody takes waits for an orchestrator', async () => {
  const raw = {
    pendingWorkflowTask: { state: SCHEDULED, scheduledTime: timestamp(AT) },
  } as unknown as Raw;
  expect(await readWaits(raw, undefined, serverWith([]).whoServes)).toEqual([
    {
      queue: 'sealflow',
      why: `no orchestrator runs: nobody serves sealflow, scheduled since ${AT}`,
    },
  ]);
  expect(await readWaits(raw, undefined, serverWith([ORCHESTRATOR]).whoServes)).toEqual([]);
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
  const { client, whoServes, asked, described } = serverWith([ORCHESTRATOR, P3], raw);
  for (let i = 0; i < 3; i++) expect(await listedWaits(client, listed('P3'), whoServes)).toEqual([]);
  expect(described).toEqual([]);
  for (let i = 0; i < 3; i++)
    expect(await listedWaits(client, listed('P4'), whoServes)).toMatchObject([{ phase: 'P4' }]);
  expect(described).toHaveLength(3);
  expect(asked.sort()).toEqual([ORCHESTRATOR, P3, P4, HOSTS].sort());
});

test('of a list, a sector that ends needs the control queue alone, and one that has ended nothing', async () => {
  const { client, whoServes, asked } = serverWith([ORCHESTRATOR, CONTROL]);
  expect(await listedWaits(client, listed('P4', 'aborting'), whoServes)).toEqual([]);
  expect(asked.sort()).toEqual([ORCHESTRATOR, CONTROL, HOSTS].sort());
  expect(await listedWaits(client, listed('P4', 'working', 'FAILED'), whoServes)).toEqual([]);
  expect(asked).toHaveLength(3);
});

test('of a list, a sector that no orchestrator has seen yet has no group, and waits for one', async () => {
  const raw = { pendingWorkflowTask: { state: SCHEDULED, scheduledTime: timestamp(AT) } };
  const { client, whoServes } = serverWith([], raw);
  const waits = await listedWaits(client, listed('', '', 'RUNNING', ''), whoServes);
  expect(waits).toMatchObject([{ queue: 'sealflow' }]);
});
