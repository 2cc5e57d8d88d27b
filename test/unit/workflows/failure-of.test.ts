/** How the workflow classifies the failure of an activity. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  ServerFailure,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { toApplicationFailure } from '../../../src/activities/temporal-failure.js';
import { SealError } from '../../../src/seal-error.js';
import { failureOf } from '../../../src/workflows/failure-of.js';

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

describe('the failure of an activity is classified by its cause:', () => {
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

  test('a timeout after a hand-back counts as the timeout', () => {
    const last = toApplicationFailure(new SealError('NoSlot', 'full'), 100);
    const cause = Object.assign(new TimeoutFailure('t', undefined, TimeoutType.HEARTBEAT), { cause: last });
    expect(failureOf(caught(cause))?.type).toBe('LostWorker');
  });

  test('a failure without details', () => {
    const cause = ApplicationFailure.create({ type: 'Panic', message: 'why' });
    expect(failureOf(caught(cause))).toEqual({ type: 'Panic', message: 'why', details: {} });
  });

  test('an unknown exception keeps its name', () => {
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

  test('a cancellation is not a failure', () => {
    expect(failureOf(caught(new CancelledFailure('cancelled')))).toBeUndefined();
    expect(failureOf(new CancelledFailure('cancelled'))).toBeUndefined();
  });

  // No other kind of failure may end the sector.
  test.each([new ServerFailure('server', true), undefined])('anything else (%s) is Unknown', (cause) => {
    expect(failureOf(caught(cause))?.type).toBe('Unknown');
  });

  test.each([new Error('a bug'), ApplicationFailure.create({ type: 'Panic' }), 'text', undefined, null])(
    '%s is not from an activity',
    (error) => {
      expect(failureOf(error)).toBeUndefined();
    },
  );
});
