/** A pool without a free slot: what is polled, and what becomes of a task that comes. */
import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { PhaseId } from '../../../src/phases.js';
import { SlotPool } from '../../../src/workers/slots.js';
import { enter, granted, Poller, PROBE_OVER, settle } from '../../helpers/poller.js';

let pool: SlotPool;
beforeEach(() => {
  vi.useFakeTimers();
  pool = new SlotPool(1);
  return () => vi.useRealTimers();
});
const ask = (queue = 'a'): Poller => new Poller(pool, queue).ask();

test('a full pool polls nothing, however long: a task that comes would be handed back, and lose its place', async () => {
  enter(pool);
  const pollers = ['a', 'b'].map((queue) => ask(queue));
  for (let minute = 0; minute < 60; minute++) {
    pool.pump();
    await settle(60_000);
  }
  expect(granted(pollers)).toEqual([]);
});

describe('a task that has come', () => {
  test('has its slot before it takes it: no other is polled for meanwhile', async () => {
    const poller = ask();
    await settle(PROBE_OVER);
    const permit = poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    const slot = enter(pool);
    await settle(PROBE_OVER);
    expect(poller.permits).toEqual([]);
    slot?.leave();
    poller.release(permit);
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('and has taken it before the pool is told, leaves nothing behind', async () => {
    const poller = ask();
    await settle(PROBE_OVER);
    const slot = enter(pool);
    poller.release(poller.use());
    slot?.leave();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('has it also after a poll that has brought none', async () => {
    const poller = ask();
    await settle(PROBE_OVER);
    poller.giveBack();
    poller.ask();
    await settle(PROBE_OVER);
    poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
  });

  test('and ends without taking it, gives it back', async () => {
    const poller = ask();
    await settle(PROBE_OVER);
    const permit = poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    poller.release(permit);
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });
});

describe('a task that finds the pool full', () => {
  const patience = () => ({ ms: 2000, signal: new AbortController().signal });
  const work = (sector: number, phase: PhaseId = 'P1') => ({ phase, sector: `s-t01000-${sector}` });

  test('gets the slot that is free in time, later phases first, and nobody else is asked for meanwhile', async () => {
    const busy = enter(pool);
    const poller = ask();
    const got: string[] = [];
    const wait = async (phase: PhaseId, sector: number) => {
      const slot = await pool.enterWithin(work(sector, phase), patience());
      got.push(phase);
      return slot;
    };
    const [early, late] = [wait('P1', 101), wait('P3', 102)];
    await settle(1000);
    busy?.leave();
    await settle();
    expect(got).toEqual(['P3']);
    (await late)?.leave();
    await settle();
    expect(got).toEqual(['P3', 'P1']);
    expect(poller.permits).toEqual([]);
    (await early)?.leave();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('is handed back when none is free in time, or when it is cancelled or the host drained', async () => {
    enter(pool);
    const late = pool.enterWithin(work(103), patience());
    await settle(2000);
    expect(await late).toBeUndefined();
    const controller = new AbortController();
    const cancelled = pool.enterWithin(work(104), { ms: 2000, signal: controller.signal });
    controller.abort();
    expect(await cancelled).toBeUndefined();
    const drained = pool.enterWithin(work(105), patience());
    pool.setDrained(true);
    expect(await drained).toBeUndefined();
    expect(pool.taken).toBe(1);
  });

  test('does not wait if it is cancelled already, or the host is drained', async () => {
    enter(pool);
    expect(await pool.enterWithin(work(106), { ms: 2000, signal: AbortSignal.abort() })).toBeUndefined();
    pool.setDrained(true);
    expect(await pool.enterWithin(work(107), patience())).toBeUndefined();
  });

  test('leaves nothing behind when it has got its slot', async () => {
    const busy = enter(pool);
    const { ms, signal } = patience();
    const slot = pool.enterWithin(work(108), { ms, signal });
    busy?.leave();
    expect(await slot).toBeDefined();
    expect([vi.getTimerCount(), getEventListeners(signal, 'abort')]).toEqual([0, []]);
  });
});
