/** How a failure is handled: retried by Temporal after a delay, or reported to the workflow. */
import { describe, expect, test } from 'vitest';
import { settle, takeOver, type AttemptInfo } from '../../../src/activities/retry-at-server.js';
import { BEGUN, NORMAL } from '../../../src/contract.js';
import type { Carried } from '../../../src/heartbeat.js';
import { SealError } from '../../../src/seal-error.js';
import { FAILURES, type FailureDetails, type FailureKind, type FailureType } from '../../../src/failures.js';
import { TIMES } from '../../../src/phases.js';

const types = Object.keys(FAILURES) as FailureType[];
const follows = (...kinds: string[]): FailureType[] =>
  types.filter((type) => kinds.includes(FAILURES[type].recovery));

/** The attempts of a task, one after the other, as Temporal offers them. */
class Task {
  private carried: Carried | undefined;
  private attempt = 0;

  constructor(private readonly info: Partial<AttemptInfo> = {}) {}

  /** @returns the delay in ms; undefined when the failure goes to the workflow */
  fails(type: FailureType, details: FailureDetails = {}): number | undefined {
    this.attempt += 1;
    const info = { attempt: this.attempt, priority: NORMAL, times: TIMES, isStop: false, ...this.info };
    const settled = settle(new SealError(type, 'x', details), takeOver(this.carried, info.attempt), info);
    this.carried = settled.carried;
    return settled.delayMs;
  }

  /** As `sealflow retry` does: the attempt count restarts, the heartbeat details stay. */
  reset(): void {
    this.attempt = 0;
  }

  get lastReported(): string | undefined {
    return takeOver(this.carried, this.attempt + 1).lastReported;
  }
}

const { backoffFirst, backoffMax } = TIMES;

describe('an outage', () => {
  test.each(follows('retry'))('%s waits at the server, however often, with growing delays', (type) => {
    const task = new Task();
    const delays = Array.from({ length: 100 }, () => task.fails(type));
    expect(delays.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * backoffFirst));
    expect(delays.slice(10)).toEqual(Array(90).fill(backoffMax));
  });

  // B11: ten restarts of P1 must not make its first full disk wait for ten minutes.
  test('does not wait longer because of earlier failures', () => {
    const task = new Task({ priority: BEGUN });
    for (let i = 0; i < 10; i++) task.fails('Draining');
    for (let i = 0; i < 3; i++) task.fails('Panic');
    expect(task.fails('NoSpace')).toBe(backoffFirst);
    expect(task.fails('NoSpace')).toBe(2 * backoffFirst);
  });

  test('does not add to the count of later faults', () => {
    const task = new Task();
    for (let i = 0; i < 10; i++) task.fails('MountMissing');
    expect([1, 2, 3, 4].map(() => task.fails('EngineDied') !== undefined)).toEqual(Array(4).fill(true));
    expect(task.fails('EngineDied')).toBeUndefined();
  });

  test('starts over with the shortest delay after an operator’s retry', () => {
    const task = new Task();
    for (let i = 0; i < 8; i++) task.fails('NoSpace', { at: '1/P4-1' });
    task.reset();
    expect(task.lastReported).toBe('1/P4-1');
    expect(task.fails('NoSpace')).toBe(backoffFirst);
  });
});

describe('a fault', () => {
  test.each(follows('retry counted'))('%s goes to the workflow when it has occurred too often', (type) => {
    const task = new Task();
    const { max = 5 } = FAILURES[type] as { max?: number };
    for (let i = 1; i < max; i++) expect(task.fails(type)).toBe(backoffFirst * 2 ** (i - 1));
    expect(task.fails(type)).toBeUndefined();
  });

  test('is forgotten when more was recorded, and only then', () => {
    const task = new Task();
    for (let i = 0; i < 4; i++) expect(task.fails('EngineDied', { recorded: 1 })).toBeDefined();
    expect(task.fails('EngineDied', { recorded: 2 })).toBe(backoffFirst);
    for (let i = 0; i < 3; i++) expect(task.fails('EngineDied', { recorded: 2 })).toBeDefined();
    expect(task.fails('EngineDied', { recorded: 2 })).toBeUndefined();
  });

  test('carries the attempt’s name, so that it is not reported twice', () => {
    const task = new Task();
    task.fails('Panic', { at: '2/P2-3' });
    task.fails('NoSpace');
    expect(task.lastReported).toBe('2/P2-3');
  });
});

describe('the workflow', () => {
  test.each(follows('step back', 'attention', 'await landed', 'fail'))('gets %s at once', (type) => {
    expect(new Task().fails(type)).toBeUndefined();
  });

  test.each(['Draining', 'LostWorker'] as const)(
    'gets %s once, to move the phase ahead of new work',
    (type) => {
      expect(new Task().fails(type)).toBeUndefined();
      expect(new Task({ priority: BEGUN }).fails(type)).toBeGreaterThan(0);
    },
  );

  test('gets every claim that is in force, as only the workflow can adopt it', () => {
    expect(new Task({ priority: BEGUN }).fails('Overtaken')).toBeUndefined();
  });
});

describe('a stop or an abort', () => {
  test.each(follows('retry', 'retry counted', 'attention').filter((type) => type !== 'ClaimedByOther'))(
    'is retried in spite of %s until it is done',
    (type) => {
      const task = new Task({ isStop: true });
      for (let i = 0; i < 50; i++) expect(task.fails(type)).toBeGreaterThan(0);
    },
  );

  test('ends where the sector is another run’s', () => {
    expect(new Task({ isStop: true }).fails('ClaimedByOther')).toBeUndefined();
  });
});

describe('a hand-back', () => {
  test.each(follows('hand back'))('%s is offered again, with delays that grow up to a limit', (type) => {
    const { delay: [first, max] = [] } = FAILURES[type] as FailureKind;
    const task = new Task();
    const delays = Array.from({ length: 30 }, () => task.fails(type) ?? NaN);
    const [least, most] = [TIMES[first ?? 'backoffFirst'], TIMES[max ?? 'backoffMax']];
    for (const delay of delays) expect(delay >= least / 2 && delay <= most).toBe(true);
    expect(delays.at(-1)).toBeGreaterThanOrEqual(most / 2);
  });

  test('counts nothing', () => {
    const info = { attempt: 7, priority: NORMAL, times: TIMES, isStop: false };
    const carried: Carried = { failures: ['Panic'], recorded: 3, waits: 2 };
    expect(settle(new SealError('NoSlot', 'x'), carried, info).carried).toBe(carried);
  });
});
