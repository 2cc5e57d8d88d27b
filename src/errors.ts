/** Failures of the table in `failures.ts`, made into Temporal's. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { FAILURES, type FailureDetails, type FailureType } from './failures.js';

/** A failure to throw from an activity: never retried by Temporal, except for hand-backs. */
export function failure(
  type: FailureType,
  message: string,
  details: FailureDetails = {},
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    details: [details],
    category: category(type),
  });
}

/** A hand-back to throw from an activity: Temporal offers the task again after `delayMs`. No fault, whatever the type. */
export function handBack(type: FailureType, message: string, delayMs: number): ApplicationFailure {
  const { BENIGN } = ApplicationFailureCategory;
  return ApplicationFailure.create({ type, message, nextRetryDelay: delayMs, category: BENIGN });
}

// What is no fault is kept out of error logs and failure metrics.
const category = (type: FailureType): ApplicationFailureCategory | undefined =>
  ['hand back', 'again', 'landed'].includes(FAILURES[type].follows)
    ? ApplicationFailureCategory.BENIGN
    : undefined;
