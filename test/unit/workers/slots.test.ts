import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SlotPool } from '../../../src/workers/slots.js';
import { enter, granted, Poller, PROBE_OVER, settle } from '../../helpers/poller.js';

/** Of one slot, unless a test makes another. */
let pool: SlotPool;
beforeEach(() => {
  vi.useFakeTimers();
  pool = new SlotPool(1);
  return () => vi.useRealTimers();
});
const ask = (queue = 'a', isOpen?: () => boolean): Poller => new Poller(pool, queue, isOpen).ask();

describe('slots', () => {
  test('are never more than the size', () => {
    pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    expect(enter(pool)).toBeUndefined();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('are given back once, however often that is said', () => {
    pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    leave?.leave();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('that were given back are not left to an engine as well', () => {
    const slot = enter(pool);
    slot?.leave();
    slot?.leaveToEngine();
    expect(pool.taken).toBe(0);
  });

  test('of a pool of none are none', async () => {
    pool = new SlotPool(0);
    expect(enter(pool)).toBeUndefined();
    const poller = ask();
    await settle(1000);
    expect(poller.permits).toEqual([]);
  });

  test('are told of when one is taken, and when it is left', () => {
    const told: number[] = [];
    pool = new SlotPool(2, () => void told.push(pool.taken));
    const [first, second] = [enter(pool), enter(pool)];
    first?.leave();
    second?.leaveToEngine();
    expect(told).toEqual([1, 2, 1, 1]);
  });
});

describe('permits', () => {
  test('are granted one after the other, in the order in which they were asked for', async () => {
    const pollers = ['a', 'b', 'c'].map((queue) => ask(queue));
    await settle();
    expect(granted(pollers)).toEqual(['a']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('as many at once as slots are free', async () => {
    pool = new SlotPool(3);
    const leave = enter(pool);
    const pollers = ['a', 'b', 'c', 'd'].map((queue) => ask(queue));
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b']);
    leave?.leave();
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('at most one unused for a queue', async () => {
    pool = new SlotPool(8);
    const poller = ask().ask().ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
    poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('are none while the pool is full', async () => {
    const leave = enter(pool);
    const poller = ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    leave?.leave();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('that are given back unused are granted again', async () => {
    const poller = ask();
    await settle(PROBE_OVER);
    poller.giveBack();
    poller.ask();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('that were used and are released count once', async () => {
    pool = new SlotPool(4);
    const poller = ask();
    await settle(PROBE_OVER);
    const permit = poller.use();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
    poller.release(permit);
    poller.ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });
});

describe('the SDK', () => {
  test('asks for each permit, and gets none out of turn', () => {
    const supplier = new SlotPool(1).supplier({ phase: 'P1' });
    expect(supplier.type).toBe('custom');
    const context = { slotType: 'activity', taskQueue: 'a', isSticky: false } as never;
    expect(supplier.tryReserveSlot(context)).toBeNull();
  });
});

describe('a closed gate', () => {
  test('lets nobody poll until it opens', async () => {
    let open = false;
    const poller = ask('a', () => open);
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    open = true;
    pool.pump();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('does not stand in the way of other queues', async () => {
    const closed = ask('a', () => false);
    const other = ask('b');
    await settle(10 * PROBE_OVER);
    expect(granted([closed, other])).toEqual(['b']);
  });
});

describe('a poller that is shut down', () => {
  test('waits no more, and the next in line is served', async () => {
    const leave = enter(pool);
    const [gone, next] = [ask(), ask('b')];
    gone.abort();
    leave?.leave();
    await settle(10 * PROBE_OVER);
    expect(granted([gone, next])).toEqual(['b']);
  });

  test('leaves the line as it is when it has its permit already', async () => {
    const [gone, next] = [ask(), ask('b')];
    await settle();
    expect(granted([gone, next])).toEqual(['a']);
    gone.abort();
    await settle(PROBE_OVER);
    expect(granted([gone, next])).toEqual(['a', 'b']);
  });

  test('asks for nothing any more', async () => {
    const gone = new Poller(pool, 'a');
    gone.abort();
    gone.ask();
    const next = ask('b');
    await settle();
    expect(granted([gone, next])).toEqual(['b']);
  });
});

describe('later phases', () => {
  test('are polled before earlier ones, whoever asked first', async () => {
    const slot = enter(pool);
    const pollers = (['P1', 'P3', 'P2'] as const).map((phase) =>
      new Poller(pool, phase, undefined, phase).ask(),
    );
    slot?.leave();
    await settle();
    expect(granted(pollers)).toEqual(['P3']);
    await settle(PROBE_OVER);
    expect(granted(pollers).sort()).toEqual(['P2', 'P3']);
  });
});
