/** What the workflow is told when an activity fails. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { isFailureType, type Failure, type FailureDetails } from '../failures.js';

/**
 * Reads the failure of an activity as the workflow catches it.
 * @returns undefined when the error is none of an activity (a cancellation, or a bug in the workflow).
 */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const cause = error.cause;
  if (cause instanceof TimeoutFailure) {
    return cause.timeoutType === 'HEARTBEAT'
      ? { type: 'LostWorker', message: 'no heartbeat from the worker', details: {} }
      : { type: 'TimedOut', message: 'took longer than its limit', details: {} };
  }
  if (cause instanceof ApplicationFailure) {
    const details = (cause.details?.[0] ?? {}) as FailureDetails;
    return isFailureType(cause.type)
      ? { type: cause.type, message: cause.message, details }
      : { type: 'Unknown', message: `${cause.type ?? 'Error'}: ${cause.message}`, details };
  }
  // Whatever else an activity may end with must not end the sector.
  if (cause instanceof CancelledFailure) return undefined;
  return { type: 'Unknown', message: cause?.message ?? 'no reason given', details: {} };
}
