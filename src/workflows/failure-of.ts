/** Translates Temporal's activity failures into sealflow's. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { isFailureType, type Failure, type FailureDetails } from '../failures.js';

/**
 * Classifies an error that the workflow caught from an activity.
 * @returns undefined when it is not an activity's failure (a cancellation, or a bug in the workflow)
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
  if (cause instanceof CancelledFailure) return undefined;
  // No other kind of failure may end the sector.
  return { type: 'Unknown', message: cause?.message ?? 'no reason given', details: {} };
}
