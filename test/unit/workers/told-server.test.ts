/** How a host keeps the server told of itself: when anew, and what ends it. */
import type { NativeConnection } from '@temporalio/worker';
import { beforeEach, expect, test, vi } from 'vitest';
import { decodeStatement, type HostStatement } from '../../../src/host-statement.js';
import { ToldServer } from '../../../src/workers/told-server.js';
import { settle } from '../../helpers/poller.js';

// Vitest's fake timers leave this module alone.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => resolve(value), ms);
      signal?.addEventListener('abort', end);
      if (signal?.aborted) end();
    }),
}));

const SECOND = 1_000;
const now = new Date('2026-11-29T15:00:00Z');
const since = new Date('2026-11-29T14:03:20Z');
const full = { phases: ['P1'], slots: 2, taken: 2 } as const;
const half = { ...full, taken: 1 };

interface Poll {
  queue: string;
  namespace: string;
  said: HostStatement | undefined;
  /** ms that it may take. */
  within: number;
  end: () => void;
  fail: () => void;
}

let polls: Poll[];
let current: HostStatement;
let host: ToldServer;
let stopping: AbortController;
let isEnded: boolean;

beforeEach(() => {
  vi.useFakeTimers({ now });
  polls = [];
  current = {
    ...{ v: 1, ip: '10.0.0.1', pid: 4711, version: '0.1.0', size: '32GiB' },
    ...{ configured: ['P1', 'P4'], obstacles: [], pools: [half] },
  };
  host = newHost([1]);
  [stopping, isEnded] = [new AbortController(), false];
  return () => vi.useRealTimers();
});

/** With a server that answers a poll when it is told to. */
function newHost(groups: number[]): ToldServer {
  let within = 0;
  const pollActivityTaskQueue = ({ namespace, taskQueue, identity }: Asked) =>
    new Promise((resolve, reject) => {
      const [end, fail] = [() => resolve({}), () => reject(new Error('UNAVAILABLE'))];
      polls.push({ queue: taskQueue.name, namespace, said: decodeStatement(identity), within, end, fail });
    });
  const connection = {
    withDeadline: (deadline: number, call: () => unknown) => ((within = deadline - Date.now()), call()),
    workflowService: { pollActivityTaskQueue },
  } as unknown as NativeConnection;
  return new ToldServer({ connection, namespace: 'mainnet', groups, statement: () => current });
}

interface Asked {
  namespace: string;
  taskQueue: { name: string };
  identity: string;
}

/** @returns after its first polls */
async function begin(): Promise<void> {
  void host.keepTelling(stopping.signal).then(() => (isEnded = true));
  await settle();
}

/** @returns how many polls were made since */
async function pollsAfter(change: Partial<HostStatement>): Promise<number> {
  const before = polls.length;
  current = { ...current, ...change };
  host.renew();
  await settle();
  return polls.length - before;
}

test('the server is told at once, in each group, and again whenever it has ended the polls', async () => {
  host = newHost([1, 7]);
  await begin();
  const queues = ['sealflow/1/hosts', 'sealflow/7/hosts'];
  expect(polls.map(({ queue }) => queue)).toEqual(queues);
  for (const { said, namespace, within } of polls) {
    // With its own time: the server stamps a poll again when it ends.
    expect([said, namespace]).toEqual([{ ...current, told: now }, 'mainnet']);
    // The server's own end of a poll must come first.
    expect(within).toBeGreaterThan(60 * SECOND);
  }
  await settle(60 * SECOND);
  expect(polls).toHaveLength(2);
  for (const { end } of [...polls]) end();
  await settle();
  expect(polls.map(({ queue }) => queue)).toEqual([...queues, ...queues]);
});

test('it is told anew when what is said has changed, not for another figure', async () => {
  await begin();
  const obstacle = { phases: ['P4' as const], reason: 'no parameters', since };
  expect(await pollsAfter({})).toBe(0);
  expect(await pollsAfter({ obstacles: [obstacle] })).toBe(1);
  expect(await pollsAfter({ obstacles: [{ ...obstacle, reason: 'damaged parameters' }] })).toBe(1);
  expect(await pollsAfter({ drained: since })).toBe(1);
  expect(await pollsAfter({ noRoom: { reason: '3 GB free', since } })).toBe(1);
  expect(await pollsAfter({ noRoom: { reason: '2 GB free', since } })).toBe(0);
  expect(await pollsAfter({ noRoom: { reason: '2 GB free', since: now } })).toBe(1);
  expect(await pollsAfter({ pools: [{ ...half, taken: 0 }] })).toBe(0);
  expect(await pollsAfter({ pools: [full] })).toBe(1);
  expect(await pollsAfter({ pools: [{ ...full, taken: 3, freeAbout: now }] })).toBe(0);
  expect(await pollsAfter({ pools: [half] })).toBe(1);
  expect(polls.at(-1)?.said).toMatchObject(current);
});

test('it is told within seconds when slots are taken, of which nobody gives notice', async () => {
  await begin();
  current = { ...current, pools: [full] };
  await settle(5 * SECOND);
  expect(polls.map(({ said }) => said?.pools[0]?.taken)).toEqual([1, 2]);
});

test('after a poll that fails it goes on, some seconds later', async () => {
  host = newHost([1, 7]);
  await begin();
  polls[0]?.fail();
  await settle(4 * SECOND);
  expect(polls).toHaveLength(2);
  await settle(SECOND);
  expect(polls).toHaveLength(4);
});

test.each([
  ['while a poll is open', () => undefined],
  ['while it waits after one that has failed', () => polls[0]?.fail()],
])('when the host stops, its last word says so and is not waited for: %s', async (_, before) => {
  await begin();
  before();
  await settle();
  stopping.abort();
  await settle();
  expect(polls.map(({ said }) => said?.stopped)).toEqual([undefined, now]);
  expect(isEnded).toBe(false);
  await settle(SECOND);
  expect([isEnded, vi.getTimerCount()]).toEqual([true, 0]);
  expect(await pollsAfter({ pools: [full] })).toBe(0);
  await settle(60 * SECOND);
  expect(polls).toHaveLength(2);
});

test.each(['end', 'fail'] as const)(
  'the end of the poll of its last word ends it at once: %s',
  async (how) => {
    await begin();
    stopping.abort();
    await settle();
    polls[1]?.[how]();
    await settle();
    expect(isEnded).toBe(true);
  },
);
