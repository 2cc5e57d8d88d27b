/** While P1 and P2 are under way it is foreseen that the ticket will end before. */
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { LateNotice } from '../../../src/activities/late-notice.js';
import { TicketWatch, type Foreseen } from '../../../src/activities/ticket-watch.js';
import type { Late } from '../../../src/messages.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const BEGIN = Date.parse('2026-11-30T00:00:00Z');
const NEEDS = { P1: { ms: 5 * HOUR, of: 9 }, P2: { ms: HOUR / 2, of: 9 } };
const LAYERS = 11;

/** A ticket that ends so many hours after the phase began. */
const lasting = (hours: number) => ({
  from: new Date(BEGIN - 7.5 * HOUR).toISOString(),
  until: new Date(BEGIN + hours * HOUR).toISOString(),
});

/** A P1 whose layers take so many hours each; it is looked at each minute. @returns what was foreseen at each hour */
function watched(layers: readonly number[], ticket: number, isStepwise = false) {
  const watch = new TicketWatch('P1', lasting(ticket), NEEDS);
  const seen: { hour: number; layer: number; foreseen: Foreseen }[] = [];
  let isLate = false;
  let began = 0;
  for (const [i, hours] of layers.entries()) {
    for (let minute = 0; minute < hours * 60; minute++) {
      const at = began + minute * MINUTE;
      const fraction = (i + (isStepwise ? 0 : minute / (hours * 60))) / LAYERS;
      const progress = { step: `layer ${i + 1} of ${LAYERS}`, fraction };
      const foreseen = watch.look(progress, at, BEGIN + at, isLate);
      isLate = foreseen.late !== undefined;
      seen.push({ hour: at / HOUR, layer: i + 1, foreseen });
    }
    began += hours * HOUR;
  }
  return seen;
}

const even = (hours: number): number[] => Array.from({ length: LAYERS }, () => hours);

describe('a P1 under way', () => {
  test('that takes 9 h for each layer is told in its first one, two days before the ticket is missed', () => {
    const first = watched(even(9), 24).find(({ foreseen }) => foreseen.late);
    expect(first?.layer).toBe(1);
    expect(first?.foreseen.late).toMatch(
      /^P1 layer 1 of 11: P1 and P2 still take 91\.\d h from 2026-11-30 08:\d\dZ, its ticket ends at 2026-12-01 00:00Z$/,
    );
  });

  test('that becomes slow is told at most one layer late', () => {
    const seen = watched([1, 1, 1, ...Array.from({ length: 8 }, () => 9)], 48);
    expect(seen.filter(({ layer }) => layer <= 3).every(({ foreseen }) => !foreseen.late)).toBe(true);
    const first = seen.find(({ foreseen }) => foreseen.late);
    expect(first?.layer).toBe(4);
    // From then on it is always said.
    const rest = seen.filter(({ hour }) => hour > (first?.hour ?? 0));
    expect(rest.every(({ foreseen }) => foreseen.late)).toBe(true);
  });

  test('whose engine tells of whole layers only is told after the first one, and not for having told nothing since', () => {
    expect(watched(even(9), 24, true).find(({ foreseen }) => foreseen.late)?.layer).toBe(2);
    expect(watched(even(1), 11.7, true).some(({ foreseen }) => foreseen.late)).toBe(false);
    const slow = watched([1, 1, 1, ...Array.from({ length: 8 }, () => 9)], 48, true);
    // When the first slow layer is done; a layer that takes days, long before.
    expect(slow.find(({ foreseen }) => foreseen.late)?.hour).toBe(3 + 9);
    const stuck = watched([1, 1, 1, 60], 48, true).find(({ foreseen }) => foreseen.late);
    expect(stuck?.hour).toBeLessThan(3 + 13);
  });

  test('that will make it is not told, and it is known how long it takes', () => {
    const seen = watched(even(1), 24);
    expect(seen.some(({ foreseen }) => foreseen.late)).toBe(false);
    const half = seen.find(({ hour }) => hour === 5.5)?.foreseen.needsMs ?? 0;
    expect(half / HOUR).toBeCloseTo(5.5 + 0.5, 1);
  });

  test('is told otherwise when it has become faster, with something to spare', () => {
    const seen = watched([...Array.from({ length: 4 }, () => 3), ...Array.from({ length: 7 }, () => 1)], 24);
    expect(seen.find(({ hour }) => hour === 11)?.foreseen.late).toBeDefined();
    expect(seen.at(-1)?.foreseen.late).toBeUndefined();
    const changes = seen.filter(({ foreseen }, i) => !foreseen.late !== !seen[i - 1]?.foreseen.late);
    expect(changes.length).toBeLessThanOrEqual(3);
  });

  test('that was told so has to have a tenth to spare before it is told otherwise', () => {
    // After 1 h of 10 it needs 9 h, and half an hour for P2; 10 h are left.
    for (const [hours, isLate, expected] of [
      [11, false, false],
      [11, true, true],
      [11.5, true, false],
      [10, false, true],
    ] as const) {
      const watch = new TicketWatch('P1', lasting(hours), NEEDS);
      watch.look({ step: 's', fraction: 0 }, 0, BEGIN, isLate);
      const { late } = watch.look({ step: 's', fraction: 0.1 }, HOUR, BEGIN + HOUR, isLate);
      expect([hours, isLate, late !== undefined]).toEqual([hours, isLate, expected]);
    }
  });

  test('is told at once when not even P2 would fit', () => {
    const watch = new TicketWatch('P1', lasting(0.4), NEEDS);
    const { late, needsMs } = watch.look({ step: 'tree-d', fraction: null }, 0, BEGIN, false);
    expect(late).toBe('P1 tree-d: its ticket ends at 00:24Z');
    expect(needsMs).toBeUndefined();
    const ended = new TicketWatch('P2', lasting(-1), NEEDS).look({ step: 'x', fraction: 0 }, 0, BEGIN, false);
    expect(ended.late).toBe('P2 x: its ticket has ended at 2026-11-29 23:00Z');
  });

  test('of another engine, whose fraction is smaller, is watched anew', () => {
    const watch = new TicketWatch('P2', lasting(24), NEEDS);
    const look = (fraction: number, hours: number) =>
      watch.look({ step: 's', fraction }, hours * HOUR, BEGIN + hours * HOUR, false);
    look(0.5, 0);
    expect(look(0.6, 1).needsMs).toBeCloseTo(4 * HOUR);
    expect(look(0.1, 2)).toEqual({});
    expect(look(0.2, 3).needsMs).toBeCloseTo(8 * HOUR);
  });
});

describe('the workflow', () => {
  /** @param refused signals that the server does not take */
  async function told(judgements: (string | undefined)[], before = false, refused = 0) {
    const signals: Late[] = [];
    let left = refused;
    const signal = (_: unknown, late: Late): Promise<void> =>
      left-- > 0 ? Promise.reject(new Error('14 UNAVAILABLE')) : Promise.resolve(void signals.push(late));
    const client = {
      workflow: { getHandle: () => ({ signal }) },
      withAbortSignal: (_: unknown, run: () => unknown) => run(),
    } as unknown as Client;
    const noted: boolean[] = [];
    await new MockActivityEnvironment(undefined, { client }).run(async () => {
      const notice = new LateNotice('P1', before, (late) => noted.push(late));
      for (const why of judgements) {
        notice.judged(why);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    });
    return { signals, noted };
  }

  test('is told once, and once when it is no longer so', async () => {
    const { signals, noted } = await told(['a', 'b', undefined, undefined, 'c']);
    expect(signals).toEqual([{ phase: 'P1', why: 'a' }, { phase: 'P1' }, { phase: 'P1', why: 'c' }]);
    expect(noted).toEqual([true, false, true]);
  });

  test('is told again when the server was away', async () => {
    expect((await told(['a', 'b', 'c'], false, 1)).signals).toEqual([{ phase: 'P1', why: 'b' }]);
  });

  test('is not told what it knows, of an earlier task too', async () => {
    expect((await told([undefined])).signals).toEqual([]);
    expect((await told(['a'], true)).signals).toEqual([]);
    expect((await told([undefined], true)).signals).toEqual([{ phase: 'P1' }]);
  });
});
