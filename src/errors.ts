/** Failures of the table in `failures.ts`, made into Temporal's. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { FAILURES, type FailureDetails, type FailureType } from './failures.js';

/** What a message may take at the server, which keeps each: an engine's words may be megabytes. */
const TEXT_BYTES = 4096;

/** The text, cut between two characters when it is too long. */
export function bounded(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= TEXT_BYTES) return text;
  const note = `… (${bytes} bytes; the rest is in the log)`;
  const room = new Uint8Array(TEXT_BYTES - Buffer.byteLength(note));
  const { read } = new TextEncoder().encodeInto(text, room);
  return text.slice(0, read) + note;
}

/** A failure to throw from an activity: never retried by Temporal, except for hand-backs. */
export function failure(
  type: FailureType,
  message: string,
  details: FailureDetails = {},
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message: bounded(message),
    nonRetryable: true,
    details: [details],
    category: category(type),
  });
}

/** A hand-back to throw from an activity: Temporal offers the task again after `delayMs`. No fault, whatever the type. */
export function handBack(type: FailureType, message: string, delayMs: number): ApplicationFailure {
  const { BENIGN } = ApplicationFailureCategory;
  return ApplicationFailure.create({
    type,
    message: bounded(message),
    nextRetryDelay: delayMs,
    category: BENIGN,
  });
}

// What is no fault is kept out of error logs and failure metrics.
const category = (type: FailureType): ApplicationFailureCategory | undefined =>
  ['hand back', 'again', 'landed'].includes(FAILURES[type].follows)
    ? ApplicationFailureCategory.BENIGN
    : undefined;
