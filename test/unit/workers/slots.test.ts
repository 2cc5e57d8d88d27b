import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { PhaseId } from '../../../src/phases.js';
import { SlotPool } from '../../../src/workers/slots.js';
import { enter, granted, Poller, PROBE_OVER, settle } from '../../helpers/poller.js';
import { createRandom, type Random } from '../../helpers/random.js';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe('slots', () => {
  test('are never more than the size', () => {
    const pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    expect(enter(pool)).toBeUndefined();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('are given back once, however often that is said', () => {
    const pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    leave?.leave();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('that were given back are not left to an engine as well', () => {
    const pool = new SlotPool(1);
    const slot = enter(pool);
    slot?.leave();
    slot?.leaveToEngine();
    expect(pool.taken).toBe(0);
  });

  test('of a pool of none are none', async () => {
    const pool = new SlotPool(0);
    expect(enter(pool)).toBeUndefined();
    const poller = new Poller(pool, 'a').ask();
    await settle(1000);
    expect(poller.permits).toEqual([]);
  });
});

describe('permits', () => {
  test('are granted one after the other, in the order in which they were asked for', async () => {
    const pool = new SlotPool(1);
    const pollers = ['a', 'b', 'c'].map((queue) => new Poller(pool, queue).ask());
    await settle();
    expect(granted(pollers)).toEqual(['a']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('as many at once as slots are free', async () => {
    const pool = new SlotPool(3);
    const leave = enter(pool);
    const pollers = ['a', 'b', 'c', 'd'].map((queue) => new Poller(pool, queue).ask());
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b']);
    leave?.leave();
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('at most one unused for a queue', async () => {
    const pool = new SlotPool(8);
    const poller = new Poller(pool, 'a').ask().ask().ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
    poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('are none while the pool is full', async () => {
    const pool = new SlotPool(1);
    const leave = enter(pool);
    const poller = new Poller(pool, 'a').ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    leave?.leave();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('that are given back unused are granted again', async () => {
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
    await settle(PROBE_OVER);
    poller.giveBack();
    poller.ask();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('that were used and are released count once', async () => {
    const pool = new SlotPool(4);
    const poller = new Poller(pool, 'a').ask();
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

describe('a task that has come', () => {
  test('has its slot before it takes it: no other is polled for meanwhile', async () => {
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
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
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
    await settle(PROBE_OVER);
    const slot = enter(pool);
    poller.release(poller.use());
    slot?.leave();
    await settle(PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('and ends without taking it, gives it back', async () => {
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
    await settle(PROBE_OVER);
    const permit = poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    poller.release(permit);
    await settle(PROBE_OVER);
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
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a', () => open).ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    open = true;
    pool.pump();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('does not stand in the way of other queues', async () => {
    const pool = new SlotPool(1);
    const closed = new Poller(pool, 'a', () => false).ask();
    const other = new Poller(pool, 'b').ask();
    await settle(10 * PROBE_OVER);
    expect(granted([closed, other])).toEqual(['b']);
  });
});

describe('a poller that is shut down', () => {
  test('waits no more, and the next in line is served', async () => {
    const pool = new SlotPool(1);
    const leave = enter(pool);
    const [gone, next] = [new Poller(pool, 'a').ask(), new Poller(pool, 'b').ask()];
    gone.abort();
    leave?.leave();
    await settle(10 * PROBE_OVER);
    expect(granted([gone, next])).toEqual(['b']);
  });

  test('leaves the line as it is when it has its permit already', async () => {
    const pool = new SlotPool(1);
    const [gone, next] = [new Poller(pool, 'a').ask(), new Poller(pool, 'b').ask()];
    await settle();
    expect(granted([gone, next])).toEqual(['a']);
    gone.abort();
    await settle(PROBE_OVER);
    expect(granted([gone, next])).toEqual(['a', 'b']);
  });

  test('asks for nothing any more', async () => {
    const pool = new SlotPool(1);
    const gone = new Poller(pool, 'a');
    gone.abort();
    gone.ask();
    const next = new Poller(pool, 'b').ask();
    await settle();
    expect(granted([gone, next])).toEqual(['b']);
  });
});

/** A server and its workers in fake time: tasks wait in queues and are delivered to permits. */
async function serve(
  pool: SlotPool,
  queues: Map<string, number>,
  ms: () => number,
): Promise<{ most: number; done: string[] }> {
  const pollers = [...queues.keys()].map((queue) => new Poller(pool, queue).ask());
  const done: string[] = [];
  let [busy, most] = [0, 0];
  const deliver = (poller: Poller): void => {
    const waiting = queues.get(poller.queue) ?? 0;
    if (waiting === 0 || poller.permits.length === 0) return;
    queues.set(poller.queue, waiting - 1);
    const permit = poller.use();
    const leave = enter(pool);
    if (!leave) {
      poller.release(permit); // Handed back: offered again.
      queues.set(poller.queue, (queues.get(poller.queue) ?? 0) + 1);
      return;
    }
    most = Math.max(most, ++busy);
    setTimeout(() => {
      busy -= 1;
      done.push(poller.queue);
      leave.leave();
      poller.release(permit);
    }, ms());
  };
  for (let i = 0; i < 20_000 && [...queues.values(), busy].some((n) => n > 0); i++) {
    await settle(10);
    pollers.forEach(deliver);
    expect(pollers.every(({ permits }) => permits.length <= 1)).toBe(true);
  }
  return { most, done };
}

describe('a pool over several queues', () => {
  test('does all tasks and never more at once than it has slots', async () => {
    const random: Random = createRandom();
    for (let round = 0; round < 20; round++) {
      const size = 1 + random.below(4);
      const queues = new Map(['a', 'b', 'c', 'd'].map((queue) => [queue, random.below(12)]));
      const all = [...queues.values()].reduce((sum, n) => sum + n, 0);
      const { most, done } = await serve(new SlotPool(size), queues, () => 10 * random.below(30));
      expect(done).toHaveLength(all);
      expect(most).toBeLessThanOrEqual(size);
    }
  });

  test('does not let a busy queue starve another', async () => {
    const queues = new Map([
      ['busy', 50],
      ['rare', 1],
    ]);
    const { done } = await serve(new SlotPool(1), queues, () => 100);
    expect(done.indexOf('rare')).toBeLessThan(5);
  });

  test('uses all its slots for one queue when the others are empty', async () => {
    const queues = new Map([
      ['empty', 0],
      ['busy', 20],
      ['idle', 0],
    ]);
    expect((await serve(new SlotPool(4), queues, () => 1000)).most).toBe(4);
  });
});

describe('later phases', () => {
  test('are polled before earlier ones, whoever asked first', async () => {
    const pool = new SlotPool(1);
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

test('a full pool polls nothing, however long: a task that comes would be handed back, and lose its place', async () => {
  const pool = new SlotPool(1);
  enter(pool);
  const pollers = ['a', 'b'].map((queue) => new Poller(pool, queue).ask());
  await settle(3_600_000);
  expect(granted(pollers)).toEqual([]);
});

describe('a task that finds the pool full', () => {
  const patience = () => ({ ms: 2000, signal: new AbortController().signal });
  const work = (sector: number, phase: PhaseId = 'P1') => ({ phase, sector: `s-t01000-${sector}` });

  test('gets the slot that is free in time, later phases first, and nobody else is asked for meanwhile', async () => {
    const pool = new SlotPool(1);
    const busy = enter(pool);
    const poller = new Poller(pool, 'a').ask();
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
    const pool = new SlotPool(1);
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
});
