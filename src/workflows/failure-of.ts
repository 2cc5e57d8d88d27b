/** What the workflow is told when an activity fails. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { isFailureType, type FailureDetails, type FailureType } from '../errors.js';

export interface Failure {
  type: FailureType;
  message: string;
  details: FailureDetails;
}

/** Error types (Temporal's names) that its own retries must leave to the workflow. */
export const NOT_FOR_TEMPORAL = ['TemporalTimeout:Heartbeat', 'TemporalTimeout:StartToClose'];

/**
 * Reads the failure of an activity as the workflow catches it.
 * @returns undefined when the error is none of an activity (a cancellation, or a bug in the workflow).
 */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const cause = error.cause;
  if (cause instanceof TimeoutFailure) {
    const heartbeat = cause.timeoutType === 'HEARTBEAT';
    const type = heartbeat ? 'LostWorker' : 'TimedOut';
    return {
      type,
      message: heartbeat ? 'no heartbeat from the worker' : 'took longer than its limit',
      details: {},
    };
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
