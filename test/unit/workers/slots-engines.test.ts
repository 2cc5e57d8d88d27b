/** A pool of slots whose engines go on without a task. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SlotPool } from '../../../src/workers/slots.js';
import { enter, granted, Poller, PROBE_OVER, settle } from '../../helpers/poller.js';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe('an engine that no task waits for', () => {
  const work = { phase: 'P1', sector: 's-t01000-7' } as const;

  test('holds a slot, which admits its own sector only', () => {
    const pool = new SlotPool(1);
    pool.setEngines([work]);
    expect(pool.taken).toBe(1);
    expect(enter(pool)).toBeUndefined();
    expect(pool.enter({ ...work, phase: 'P2' })).toBeUndefined();
    const slot = pool.enter(work);
    expect(slot).toBeDefined();
    expect(pool.taken).toBe(1);
    slot?.leave();
    expect(pool.taken).toBe(0);
  });

  test('is not counted beside the task that has come for it, though it was seen before', () => {
    const pool = new SlotPool(2);
    pool.setEngines([work]);
    pool.enter(work);
    pool.setEngines([work]);
    expect(pool.taken).toBe(1);
  });

  test('is counted once, by the last of two tasks that have come for it', () => {
    const pool = new SlotPool(2);
    const [first, second] = [pool.enter(work), pool.enter(work)];
    first?.leaveToEngine();
    expect([pool.taken, pool.holds(work)]).toEqual([1, false]);
    second?.leaveToEngine();
    expect([pool.taken, pool.holds(work)]).toEqual([1, true]);
  });

  test('keeps the slot that its task leaves to it, until it is seen to have ended', async () => {
    const pool = new SlotPool(1);
    const slot = pool.enter(work);
    slot?.leaveToEngine();
    slot?.leave();
    expect(enter(pool)).toBeUndefined();
    const other = new Poller(pool, 'b', undefined, 'P2').ask();
    await settle(10 * PROBE_OVER);
    expect(other.permits).toEqual([]);
    pool.setEngines([]);
    await settle();
    expect(other.permits).toHaveLength(1);
    expect(enter(pool)).toBeDefined();
  });

  test('has its queue polled when the pool is full, and no other one', async () => {
    const pool = new SlotPool(1);
    const [own, other] = [
      new Poller(pool, 'a', undefined, 'P1').ask(),
      new Poller(pool, 'b', undefined, 'P2').ask(),
    ];
    pool.enter({ phase: 'P1', sector: 's-t01000-8' });
    pool.setEngines([work]);
    await settle(10 * PROBE_OVER);
    expect(granted([own, other])).toEqual(['a']);
    expect(pool.taken).toBe(2);
  });

  test('has its queue polled once a second, not for each task of others that comes', async () => {
    const pool = new SlotPool(1);
    pool.setEngines([work]);
    const poller = new Poller(pool, 'a').ask();
    let polls = 0;
    for (let ms = 0; ms < 2500; ms += 10) {
      if (poller.permits.length > 0) {
        polls += 1;
        poller.use(); // Another sector's task: handed back.
      }
      await settle(10);
    }
    expect(polls).toBe(3);
    // Once one engine has been adopted, the next need not wait.
    pool.setEngines([work, { ...work, sector: 's-t01000-8' }]);
    pool.enter(work);
    pool.pump();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('need not wait because its queue was polled for a free slot just before', async () => {
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
    await settle();
    poller.use();
    enter(pool);
    pool.setEngines([work]);
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });
});

describe('a drained pool', () => {
  test('takes nothing new, but for the task of an engine of its own', async () => {
    const pool = new SlotPool(3);
    const busy = enter(pool);
    pool.setEngines([{ phase: 'P1', sector: 's-t01000-9' }]);
    pool.setDrained(true);
    const poller = new Poller(pool, 'a').ask();
    await settle();
    // Polled for the engine's task alone; another one that comes is handed back.
    expect(poller.permits).toHaveLength(1);
    expect(pool.enter({ phase: 'P1', sector: 's-t01000-8' })).toBeUndefined();
    const own = pool.enter({ phase: 'P1', sector: 's-t01000-9' });
    own?.leave();
    busy?.leave();
    expect(pool.taken).toBe(0);
    poller.use();
    await settle(10_000);
    expect(poller.permits).toEqual([]);
    expect(pool.enter({ phase: 'P1', sector: 's-t01000-8' })).toBeUndefined();
  });

  test('takes new tasks again when it is no longer drained', async () => {
    const pool = new SlotPool(1);
    pool.setDrained(true);
    const poller = new Poller(pool, 'a').ask();
    await settle(10_000);
    expect([poller.permits, pool.isDrained()]).toEqual([[], true]);
    pool.setDrained(false);
    await settle();
    expect(poller.permits).toHaveLength(1);
    expect(enter(pool)).toBeDefined();
  });
});
