/**
 * The one place that converts errors to Temporal failures: their type, their retry, and how much of them is
 * stored.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { TooNewError } from '../contract.js';
import { FAILURES, type FailureType } from '../failures.js';
import { isErrno, messageOf } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { MountHungError } from '../mounts/mounts.js';
import { SealError } from '../seal-error.js';
import { NotOfGroupError } from '../group/marker.js';
import { NotOursError } from '../sector-directory/remove-tree.js';

/** Failure types of errors that are not SealErrors; the first match counts. */
const MEANINGS: readonly (readonly [type: FailureType, fits: (error: unknown) => boolean])[] = [
  ['TooNew', (error) => error instanceof TooNewError],
  ['NotOfGroup', (error) => error instanceof NotOfGroupError],
  ['MountHung', (error) => error instanceof MountHungError],
  ['MountMissing', (error) => error instanceof MountWrongError],
  ['NotOurs', (error) => error instanceof NotOursError],
  ['NoSpace', (error) => isErrno(error, 'ENOSPC', 'EDQUOT')],
  ['MountMissing', (error) => isErrno(error, 'ESTALE', 'ENOTCONN', 'EHOSTDOWN')],
  ['PassingFault', (error) => error instanceof Error && 'syscall' in error],
  ['Unknown', () => true],
];

/**
 * Converts any error to a SealError.
 * @param host where it happened
 */
export function toSealError(error: unknown, host: string): SealError {
  if (error instanceof SealError) return error;
  const [type] = MEANINGS.find(([, fits]) => fits(error)) ?? ['Unknown'];
  const message = type === 'Unknown' || !(error instanceof Error) ? String(error) : messageOf(error);
  return new SealError(type, `${host}: ${message}`, { host }, { cause: error });
}

/**
 * Converts a SealError to the failure that an activity throws.
 * @param delayMs after which Temporal retries; undefined: non-retryable, the workflow decides what follows
 */
export function toApplicationFailure(error: SealError, delayMs?: number): ApplicationFailure {
  const { type, message, details } = error;
  const failure = ApplicationFailure.create({
    type,
    message: bounded(message),
    nonRetryable: delayMs === undefined,
    nextRetryDelay: delayMs,
    details: [details],
    // Benign failures stay out of error logs and failure metrics.
    category: isFault(type, delayMs) ? undefined : ApplicationFailureCategory.BENIGN,
    cause: boundedCause(error),
  });
  // The server stores it, and the Web UI shows it: paths of this machine, which say nothing of the sector.
  failure.stack = '';
  return failure;
}

const isFault = (type: FailureType, delayMs: number | undefined): boolean => {
  const { recovery } = FAILURES[type];
  return delayMs === undefined
    ? !['reschedule', 'await landed', 'new ticket'].includes(recovery)
    : recovery === 'retry counted';
};

/** Max bytes of a message. The server stores each one, and an engine's may be megabytes. */
const TEXT_BYTES = 4096;

/** The text, truncated at a character boundary when it is longer than `maxBytes`. */
export function bounded(text: string, maxBytes = TEXT_BYTES): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const note = `… (${bytes} bytes; the rest is in the log)`;
  const room = new Uint8Array(maxBytes - Buffer.byteLength(note));
  const { read } = new TextEncoder().encodeInto(text, room);
  return text.slice(0, read) + note;
}

/** Max number of causes retained, and max bytes of each one's message or stack. */
const MAX_CAUSES = 5;
const CAUSE_BYTES = 2048;

/**
 * The chain of an error's causes, each truncated. Stacks are retained only for unknown errors, which may be bugs.
 */
function boundedCause(error: Error, left = MAX_CAUSES): Error | undefined {
  const { cause } = error;
  if (!(cause instanceof Error) || left === 0) return undefined;
  const copy = new Error(bounded(messageOf(cause), CAUSE_BYTES), { cause: boundedCause(cause, left - 1) });
  copy.name = cause.name;
  const isUnknown = error instanceof SealError && error.type === 'Unknown';
  copy.stack = isUnknown ? bounded(cause.stack ?? '', CAUSE_BYTES) : '';
  return copy;
}
