import {
  ActivityFailure,
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  RetryState,
  ServerFailure,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { failure, handBack } from '../../src/errors.js';
import { FAILURES, isFailureType, type FailureType } from '../../src/failures.js';
import { failureOf } from '../../src/workflows/failure-of.js';

const TYPES = Object.keys(FAILURES) as FailureType[];
const FOLLOWS = ['hand back', 'again', 'wait', 'back off', 'step back', 'attention', 'landed', 'end'];

/** As the workflow catches it. */
const caught = (cause: Error | undefined): ActivityFailure =>
  new ActivityFailure(
    'Activity task failed',
    'preCommitPhase1',
    '1',
    RetryState.NON_RETRYABLE_FAILURE,
    'w',
    cause,
  );

describe('every failure type', () => {
  test.each(TYPES)('%s has a meaning, a hint, and something that follows', (type) => {
    const { follows, meaning, hint } = FAILURES[type];
    expect(FOLLOWS).toContain(follows);
    expect(meaning.length).toBeGreaterThan(10);
    expect(hint).not.toBe('');
    for (const text of [meaning, hint]) expect(text).not.toMatch(/\n|\.$/);
  });

  test.each(TYPES)('%s passes from the activity to the workflow', (type) => {
    const details = { at: '1/P2-3', host: '10.0.0.1', from: 'P1', recorded: 3 } as const;
    const thrown = failure(type, 'why', details);
    expect(thrown.nonRetryable).toBe(true);
    expect(failureOf(caught(thrown))).toEqual({ type, message: 'why', details });
  });

  test.each(
    ['toString', '__proto__', 'constructor', '', undefined, 7, 'noslot', ['NoSlot']].map((type) => [type]),
  )('is not %j', (type) => {
    expect(isFailureType(type)).toBe(false);
  });
});

describe('hand-backs', () => {
  const types = TYPES.filter((type) => FAILURES[type].follows === 'hand back');

  test('are these', () => {
    expect(types).toEqual([
      'NoSlot',
      'NoRoom',
      'NoMemory',
      'NotOfGroup',
      'NoStorage',
      'BusyElsewhere',
      'TooNew',
    ]);
  });

  test.each(types)('%s is offered again after its delay, and is no fault', (type) => {
    const thrown = handBack(type, 'why', 1500);
    expect(thrown).toMatchObject({
      type,
      message: 'why',
      nextRetryDelay: 1500,
      nonRetryable: false,
      category: ApplicationFailureCategory.BENIGN,
    });
  });
});

describe('what counts as a fault', () => {
  test.each(TYPES)('%s', (type) => {
    const benign = ['hand back', 'again', 'landed'].includes(FAILURES[type].follows);
    expect(failure(type, 'why').category === ApplicationFailureCategory.BENIGN).toBe(benign);
  });
});

describe('the failure of an activity is read from its cause:', () => {
  test('no heartbeat', () => {
    const cause = new TimeoutFailure('t', undefined, TimeoutType.HEARTBEAT);
    expect(failureOf(caught(cause))).toMatchObject({ type: 'LostWorker', details: {} });
  });

  test.each([TimeoutType.START_TO_CLOSE, TimeoutType.SCHEDULE_TO_CLOSE, TimeoutType.SCHEDULE_TO_START])(
    'too long (%s)',
    (timeoutType) => {
      expect(failureOf(caught(new TimeoutFailure('t', undefined, timeoutType)))).toMatchObject({
        type: 'TimedOut',
      });
    },
  );

  test('a timeout after a hand-back is the timeout', () => {
    const last = handBack('NoSlot', 'full', 100);
    const cause = Object.assign(new TimeoutFailure('t', undefined, TimeoutType.HEARTBEAT), { cause: last });
    expect(failureOf(caught(cause))?.type).toBe('LostWorker');
  });

  test('a failure without details', () => {
    const cause = ApplicationFailure.create({ type: 'Panic', message: 'why' });
    expect(failureOf(caught(cause))).toEqual({ type: 'Panic', message: 'why', details: {} });
  });

  test('an exception that sealflow does not know keeps its name', () => {
    const cause = ApplicationFailure.create({ type: 'TypeError', message: 'x is not a function' });
    expect(failureOf(caught(cause))).toEqual({
      type: 'Unknown',
      message: 'TypeError: x is not a function',
      details: {},
    });
  });

  test('an exception without a type', () => {
    const cause = ApplicationFailure.create({ message: 'x' });
    expect(failureOf(caught(cause))).toEqual({ type: 'Unknown', message: 'Error: x', details: {} });
  });

  test('a cancellation is none', () => {
    expect(failureOf(caught(new CancelledFailure('cancelled')))).toBeUndefined();
    expect(failureOf(new CancelledFailure('cancelled'))).toBeUndefined();
  });

  // Nothing that an activity may end with must end the sector.
  test.each([new ServerFailure('server', true), undefined])('anything else (%s) is Unknown', (cause) => {
    expect(failureOf(caught(cause))?.type).toBe('Unknown');
  });

  test.each([new Error('a bug'), ApplicationFailure.create({ type: 'Panic' }), 'text', undefined, null])(
    '%s is not of an activity',
    (error) => {
      expect(failureOf(error)).toBeUndefined();
    },
  );
});

describe('a long message', () => {
  test.each(['x', 'é', '漢', '😀'])('of %s is cut between two characters', (character) => {
    const text = character.repeat(10_000);
    for (const { message } of [failure('Unknown', text), handBack('NoSlot', text, 1)]) {
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
      const [kept = '', note] = message.split('… ');
      expect(text.startsWith(kept) && kept.length % character.length === 0).toBe(true);
      expect(note).toBe(`(${Buffer.byteLength(text)} bytes; the rest is in the log)`);
    }
  });

  test('of 4096 bytes stays as it is', () => {
    expect(failure('Unknown', 'x'.repeat(4096)).message).toBe('x'.repeat(4096));
  });
});
