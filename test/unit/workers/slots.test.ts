import type { ActivitySlotInfo, CustomSlotSupplier } from '@temporalio/worker';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { PhaseId } from '../../../src/phases.js';
import type { Slot } from '../../../src/activities/deps.js';
import { SlotPool } from '../../../src/workers/slots.js';
import { createRandom, type Random } from '../../helpers/random.js';

/** In ms: longer than an unused permit counts against the pool. */
const PROBE_OVER = 60;

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

type Supplier = CustomSlotSupplier<ActivitySlotInfo>;
type Used = Parameters<Supplier['markSlotUsed']>[0];
type Released = Parameters<Supplier['releaseSlot']>[0];

/** One queue's poller, as the SDK drives a supplier. */
class Poller {
  /** Permits that were granted and not used yet. */
  permits: unknown[] = [];
  private readonly supplier: Supplier;
  /** The SDK creates one per permit request. */
  private asked: AbortController[] = [];
  private isShutDown = false;

  constructor(
    pool: SlotPool,
    readonly queue: string,
    isOpen?: () => boolean,
    phase: PhaseId = 'P1',
  ) {
    this.supplier = pool.supplier({ phase, ...(isOpen && { isOpen }) });
  }

  /** Requests a permit, which is added to `permits` once granted. */
  ask(): this {
    const context = { slotType: 'activity', taskQueue: this.queue, isSticky: false } as never;
    const abort = new AbortController();
    if (this.isShutDown) abort.abort();
    this.asked.push(abort);
    void this.supplier.reserveSlot(context, abort.signal).then((permit) => this.permits.push(permit));
    return this;
  }

  abort(): void {
    this.isShutDown = true;
    for (const abort of this.asked) abort.abort();
  }

  /** A task arrived: uses the permit and requests the next. */
  use(): unknown {
    const permit = this.permits.shift();
    this.supplier.markSlotUsed({ permit } as unknown as Used);
    this.ask();
    return permit;
  }

  release(permit: unknown): void {
    this.supplier.releaseSlot({ permit } as unknown as Released);
  }

  /** The poll ended without a task: at shutdown. */
  releaseUnused(): void {
    this.release(this.permits.shift());
  }
}

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const granted = (pollers: Poller[]): string[] =>
  pollers.flatMap(({ queue, permits }) => permits.map(() => queue));

/** Enters the pool, each time for a new sector. */
let sectors = 0;
const enter = (pool: SlotPool, phase: PhaseId = 'P1'): Slot | undefined =>
  pool.enter({ phase, sector: `s-t01000-${++sectors}` });

describe('slots', () => {
  test('never exceed the size', () => {
    const pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    expect(enter(pool)).toBeUndefined();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('are freed once, even if left twice', () => {
    const pool = new SlotPool(2);
    const [leave] = [enter(pool), enter(pool)];
    leave?.leave();
    leave?.leave();
    expect(enter(pool)).toBeDefined();
    expect(enter(pool)).toBeUndefined();
  });

  test('of a pool of size 0: none', async () => {
    const pool = new SlotPool(0);
    expect(enter(pool)).toBeUndefined();
    const poller = new Poller(pool, 'a').ask();
    await settle(1000);
    expect(poller.permits).toEqual([]);
  });
});

describe('a pool that drains', () => {
  test('accepts no new tasks except that of its own engine', async () => {
    const pool = new SlotPool(3);
    const busy = enter(pool);
    pool.setEngines([{ phase: 'P1', sector: 's-t01000-9' }]);
    pool.drain();
    const poller = new Poller(pool, 'a').ask();
    await settle();
    // Polled only for the engine's task; any other task that arrives is handed back.
    expect(poller.permits).toHaveLength(1);
    expect(pool.enter({ phase: 'P1', sector: 's-t01000-8' })).toBeUndefined();
    const own = pool.enter({ phase: 'P1', sector: 's-t01000-9' });
    own?.leave();
    busy?.leave();
    expect(pool.taken).toBe(0);
    poller.use();
    pool.showPresence();
    await settle(10_000);
    expect(poller.permits).toEqual([]);
    expect(pool.enter({ phase: 'P1', sector: 's-t01000-8' })).toBeUndefined();
  });
});

describe('permits', () => {
  test('are granted one by one, in the order of the requests', async () => {
    const pool = new SlotPool(1);
    const pollers = ['a', 'b', 'c'].map((queue) => new Poller(pool, queue).ask());
    await settle();
    expect(granted(pollers)).toEqual(['a']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b']);
    await settle(PROBE_OVER);
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('are granted at once for as many slots as are free', async () => {
    const pool = new SlotPool(3);
    const leave = enter(pool);
    const pollers = ['a', 'b', 'c', 'd'].map((queue) => new Poller(pool, queue).ask());
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b']);
    leave?.leave();
    await settle();
    expect(granted(pollers)).toEqual(['a', 'b', 'c']);
  });

  test('are unused at most once per queue', async () => {
    const pool = new SlotPool(8);
    const poller = new Poller(pool, 'a').ask().ask().ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
    poller.use();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toHaveLength(1);
  });

  test('are not granted while the pool is full', async () => {
    const pool = new SlotPool(1);
    const leave = enter(pool);
    const poller = new Poller(pool, 'a').ask();
    await settle(10 * PROBE_OVER);
    expect(poller.permits).toEqual([]);
    leave?.leave();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });

  test('that are released unused are granted again', async () => {
    const pool = new SlotPool(1);
    const poller = new Poller(pool, 'a').ask();
    await settle(PROBE_OVER);
    poller.releaseUnused();
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

describe('a queue that is closed', () => {
  test('is not polled until it opens', async () => {
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

  test('does not block other queues', async () => {
    const pool = new SlotPool(1);
    const closed = new Poller(pool, 'a', () => false).ask();
    const other = new Poller(pool, 'b').ask();
    await settle(10 * PROBE_OVER);
    expect(granted([closed, other])).toEqual(['b']);
  });
});

describe('a poller that is shut down', () => {
  test('leaves the wait queue, and the next poller is served', async () => {
    const pool = new SlotPool(1);
    const leave = enter(pool);
    const [gone, next] = [new Poller(pool, 'a').ask(), new Poller(pool, 'b').ask()];
    gone.abort();
    leave?.leave();
    await settle(10 * PROBE_OVER);
    expect(granted([gone, next])).toEqual(['b']);
  });

  test('is granted no further permits', async () => {
    const pool = new SlotPool(1);
    const gone = new Poller(pool, 'a');
    gone.abort();
    gone.ask();
    const next = new Poller(pool, 'b').ask();
    await settle();
    expect(granted([gone, next])).toEqual(['b']);
  });
});

/** Simulates a server and its workers in fake time: tasks wait in queues and are delivered to permits. */
async function serve(
  pool: SlotPool,
  queues: Map<string, number>,
  ms: () => number,
): Promise<{ max: number; done: string[] }> {
  const pollers = [...queues.keys()].map((queue) => new Poller(pool, queue).ask());
  const done: string[] = [];
  let [busy, max] = [0, 0];
  const deliver = (poller: Poller): void => {
    const waiting = queues.get(poller.queue) ?? 0;
    if (waiting === 0 || poller.permits.length === 0) return;
    queues.set(poller.queue, waiting - 1);
    const permit = poller.use();
    const leave = enter(pool);
    if (!leave) {
      poller.release(permit); // Handed back: goes into the queue again.
      queues.set(poller.queue, (queues.get(poller.queue) ?? 0) + 1);
      return;
    }
    max = Math.max(max, ++busy);
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
  return { max, done };
}

describe('a pool over several queues', () => {
  test('runs all tasks, never more at once than it has slots', async () => {
    const random: Random = createRandom();
    for (let round = 0; round < 20; round++) {
      const size = 1 + random.below(4);
      const queues = new Map(['a', 'b', 'c', 'd'].map((queue) => [queue, random.below(12)]));
      const all = [...queues.values()].reduce((sum, n) => sum + n, 0);
      const { max, done } = await serve(new SlotPool(size), queues, () => 10 * random.below(30));
      expect(done).toHaveLength(all);
      expect(max).toBeLessThanOrEqual(size);
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
    expect((await serve(new SlotPool(4), queues, () => 1000)).max).toBe(4);
  });
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

  test('is not counted twice once its task has arrived', () => {
    const pool = new SlotPool(2);
    pool.setEngines([work]);
    pool.enter(work);
    pool.setEngines([work]);
    expect(pool.taken).toBe(1);
  });

  test('keeps the slot that its task leaves to it until it is found to have ended', async () => {
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

  test('has only its own queue polled when the pool is full', async () => {
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

  test('has its queue polled once per second, not for every other task that arrives', async () => {
    const pool = new SlotPool(1);
    pool.setEngines([work]);
    const poller = new Poller(pool, 'a').ask();
    let polls = 0;
    for (let ms = 0; ms < 3000; ms += 10) {
      if (poller.permits.length > 0) {
        polls += 1;
        poller.use(); // Another sector's task: handed back.
      }
      await settle(10);
    }
    expect(polls).toBe(3);
    // After one engine has been adopted, the next one need not wait.
    pool.setEngines([work, { ...work, sector: 's-t01000-8' }]);
    pool.enter(work);
    pool.pump();
    await settle();
    expect(poller.permits).toHaveLength(1);
  });
});

describe('later phases', () => {
  test('are polled before earlier ones, whatever the order of the requests', async () => {
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

test('a full pool polls each open queue once to show its presence', async () => {
  const pool = new SlotPool(1);
  enter(pool);
  const pollers = ['a', 'b'].map((queue) => new Poller(pool, queue).ask());
  const closed = new Poller(pool, 'c', () => false).ask();
  for (let shown = 0; shown < 3; shown++) {
    pool.showPresence();
    await settle(PROBE_OVER);
  }
  expect(granted([...pollers, closed])).toEqual(['a', 'b']);
  pollers[0]?.use();
  await settle(PROBE_OVER);
  expect(granted(pollers)).toEqual(['b']);
  pool.showPresence();
  await settle();
  expect(granted(pollers)).toEqual(['a', 'b']);
});
