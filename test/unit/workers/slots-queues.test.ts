/** A pool that serves several queues to their end. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SlotPool } from '../../../src/workers/slots.js';
import { enter, Poller, settle } from '../../helpers/poller.js';
import { createRandom, type Random } from '../../helpers/random.js';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
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
