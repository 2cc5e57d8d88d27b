import type { Client, WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { encodeStatement, type HostStatement } from '../../../src/host-statement.js';
import { WhoServes } from '../../../src/temporal/ask/who-serves.js';
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
const HOSTS = '2 sealflow/1/hosts';

/** As protobufjs gives it: a 64-bit integer that is no number. */
const timestamp = (at: string) => ({ seconds: { toString: () => String(Date.parse(at) / 1000) } });

/**
 * A server with pollers on these queues (by type, 1 workflows, 2 activities), and what it has been asked for.
 * @param hosts what hosts tell, and how many seconds ago
 */
function serverWith(served: string[], raw: object = {}, hosts: [HostStatement, number][] = []) {
  const asked: string[] = [];
  const described: string[] = [];
  const client = {
    options: { namespace: 'default' },
    connection: { withDeadline: (_: number, call: () => unknown) => call() },
    workflowService: {
      describeTaskQueue: ({ taskQueue: { name }, taskQueueType }: Asked) => {
        const queue = `${taskQueueType} ${name}`;
        asked.push(queue);
        const told = hosts.map(([host, ago]) => ({
          identity: encodeStatement(host),
          lastAccessTime: { seconds: Math.round(Date.now() / 1000) - ago },
        }));
        if (queue === HOSTS) return Promise.resolve({ pollers: told });
        return Promise.resolve({ pollers: served.includes(queue) ? [{ identity: '10.0.0.1#7' }] : [] });
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

const pending = (name: string, state: number, at = AT) => ({
  activityType: { name },
  state,
  scheduledTime: timestamp(at),
});
const activities = (...pendingActivities: object[]) => ({ pendingActivities }) as unknown as Raw;

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

describe('by what hosts tell', () => {
  const host = (ip: string, more: Partial<HostStatement> = {}): HostStatement => ({
    ...{ v: 1, ip, pid: 7, version: '0.1.0', size: '2KiB', configured: ['P3', 'P4'] },
    ...{ obstacles: [], pools: [{ phases: ['P3', 'P4'], slots: 1, taken: 0 }], ...more },
  });
  const drained = new Date('2026-11-01T06:30:00Z');
  const raw = activities(pending('commitPhase2', SCHEDULED));
  const why = async (...hosts: [HostStatement, number][]): Promise<string | undefined> =>
    (await readWaits(raw, PLACE, serverWith([P4], {}, hosts).whoServes))[0]?.why;

  test('one that serves the phase is enough', async () => {
    expect(await why([host('10.0.0.1'), 30], [host('10.0.0.2', { drained }), 10])).toBeUndefined();
  });

  test('none does: each says why, and the poll of one that has told otherwise counts for nothing', async () => {
    const obstacles = [{ phases: ['P4'] as const, reason: 'no parameters' }];
    const said = await why(
      [host('10.0.0.1', { drained }), 30],
      [host('10.0.0.2', { obstacles }), 30],
      [host('10.0.0.3'), 200],
      [host('10.0.0.4', { stopped: drained }), 1],
      [host('10.0.0.5', { configured: ['P3'] }), 1],
      [host('10.0.0.6', { size: '8MiB' }), 1],
    );
    expect(said).toMatch(
      /^nobody serves sealflow\/1\/2KiB\/CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z; 10\.0\.0\.2: no parameters; 10\.0\.0\.3 did until \S+Z; 10\.0\.0\.4 did until \S+Z$/,
    );
  });

  test('a worker that was followed by another one is not told of; the newest word of each counts', async () => {
    const before = host('10.0.0.1', { pid: 6 });
    expect(await why([before, 200], [host('10.0.0.1'), 90], [host('10.0.0.1', { drained }), 30])).toMatch(
      /CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z$/,
    );
  });

  test('an earlier word that the server has stamped anew, as its poll has ended, is not the newest', async () => {
    const told = (minute: string) => new Date(`2026-11-01T06:${minute}:00Z`);
    const [before, now] = [
      host('10.0.0.1', { told: told('31') }),
      host('10.0.0.1', { told: told('32'), drained }),
    ];
    const expected = /CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z$/;
    expect(await why([before, 10], [now, 60])).toMatch(expected);
    expect(await why([before, 60], [now, 10])).toMatch(expected);
    // It lives as long as any of its polls is recent.
    expect(await why([before, 10], [now, 130])).toMatch(expected);
    expect(
      await why([host('10.0.0.1', { told: told('31'), drained }), 10], [{ ...now, drained: undefined }, 60]),
    ).toBe(undefined);
  });

  test('hosts with the same reason are named together', async () => {
    expect(await why([host('10.0.0.2', { drained }), 30], [host('10.0.0.1', { drained }), 30])).toMatch(
      /Z; 10\.0\.0\.1 10\.0\.0\.2: drained since 2026-11-01 06:30Z$/,
    );
  });

  test('all busy: how many slots, until when about; and no room', async () => {
    const until = (minute: string) => new Date(`2026-11-01T09:${minute}:00Z`);
    const pools = (freeAbout?: Date) => [
      { phases: ['P4'] as const, slots: 2, taken: 2, ...(freeAbout && { freeAbout }) },
    ];
    const service = async (...hosts: HostStatement[]) => {
      const told = hosts.map((one): [HostStatement, number] => [one, 1]);
      const { busy, noRoom } = await serverWith([], {}, told).whoServes.phase(
        1,
        '2KiB',
        hosts[0]?.configured[0] ?? 'P4',
      );
      return { busy, noRoom };
    };
    const at = (ip: string, minute?: string) =>
      host(ip, { configured: ['P4'], pools: pools(minute ? until(minute) : undefined) });
    expect(await service(at('10.0.0.1', '40'), at('10.0.0.2', '30'))).toEqual({
      busy: { slots: 4, freeAbout: until('30').toISOString() },
    });
    expect(await service(at('10.0.0.1'))).toEqual({ busy: { slots: 2 } });
    expect(await service(at('10.0.0.1'), host('10.0.0.2', { configured: ['P4'] }))).toEqual({});
    const full = host('10.0.0.1', { configured: ['P1'], noRoom: { reason: 'no room', since: drained } });
    expect(await service(full)).toMatchObject({ noRoom: 'no room' });
    expect(await service(full, host('10.0.0.2', { configured: ['P1'] }))).toEqual({});
  });
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
