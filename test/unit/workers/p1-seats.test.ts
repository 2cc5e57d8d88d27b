import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CorePlan } from '../../../src/workers/cores.js';
import { P1Seats } from '../../../src/workers/p1-seats.js';
import { cores } from '../../helpers/topology.js';

const { allowed, groups } = cores(8);
const plan: CorePlan = {
  allowed,
  seats: [groups[0]?.slice(0, 3) ?? [], groups[0]?.slice(3, 6) ?? []],
  producers: 0,
};
const FIRST = { cores: [0, 1, 2], producers: 2 };
const SECOND = { cores: [3, 4, 5], producers: 2 };

/** P1 engines at work: sector, and the CPUs of its process. */
let running: [string, readonly number[] | undefined][];
const seats = (): P1Seats =>
  new P1Seats(
    plan,
    () => Promise.resolve(running.map(([sector], pid) => ({ sector, pid }))),
    (pid) => running[pid]?.[1],
  );

beforeEach(() => {
  running = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test('P1 that begin at once get different seats', async () => {
  const host = seats();
  expect(await Promise.all([host.take('a'), host.take('b')])).toEqual([FIRST, SECOND]);
});

test('a seat is free when its engine has ended', async () => {
  const host = seats();
  await host.take('a');
  running = [['a', [0, 1, 2]]];
  expect(await host.take('b')).toEqual(SECOND);
  running = [['b', [3, 4, 5]]];
  expect(await host.take('c')).toEqual(FIRST);
});

test('a worker that was restarted knows the seats of the engines that it finds', async () => {
  running = [['a', [0, 1, 2]]];
  expect(await seats().take('b')).toEqual(SECOND);
});

test('an engine that is not pinned yet holds the seat that it was given', async () => {
  const host = seats();
  await host.take('a');
  running = [['a', allowed]];
  expect(await host.take('b')).toEqual(SECOND);
});

test('a seat whose engine never came is free again', async () => {
  const host = seats();
  await host.take('a');
  vi.advanceTimersByTime(61_000);
  expect(await host.take('b')).toEqual(FIRST);
});

test('the next engine of a sector may have the seat of the one before it', async () => {
  const host = seats();
  expect(await host.take('a')).toEqual(FIRST);
  expect(await host.take('b')).toEqual(SECOND);
  vi.advanceTimersByTime(61_000);
  running = [['b', [3, 4, 5]]];
  expect(await host.take('a')).toEqual(FIRST);
});

test('more engines than seats share the one that the fewest have', async () => {
  running = [
    ['a', [0, 1, 2]],
    ['b', [0, 1, 2]],
    ['c', [4]],
    ['ended', undefined],
  ];
  expect(await seats().take('d')).toEqual(SECOND);
});

test('without seats all P1 share their cores', async () => {
  const shared = new P1Seats({ allowed, seats: [], p1: [2, 3], producers: 0 }, () =>
    Promise.reject(new Error('asked')),
  );
  expect(await shared.take('a')).toEqual({ cores: [2, 3], producers: 0 });
});
