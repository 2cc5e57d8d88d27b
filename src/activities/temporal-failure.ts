/** The one place where errors become failures of Temporal's: what each means, what Temporal does with it, and how much of it is kept. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { TooNewError } from '../contract.js';
import { FAILURES, type FailureType } from '../failures.js';
import { isErrno, messageOf } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { MountHungError } from '../mounts/mounts.js';
import { SealError } from '../seal-error.js';
import { NotOfGroupError } from '../group/marker.js';
import { NotOursError } from '../sector-directory/remove-tree.js';

/** What errors that do not say it themselves mean; the first line that fits counts. */
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
 * What an error means for its sector.
 * @param host that it happened on
 */
export function toSealError(error: unknown, host: string): SealError {
  if (error instanceof SealError) return error;
  const [type] = MEANINGS.find(([, fits]) => fits(error)) ?? ['Unknown'];
  const message = type === 'Unknown' || !(error instanceof Error) ? String(error) : messageOf(error);
  return new SealError(type, `${host}: ${message}`, { host }, { cause: error });
}

/**
 * What an activity throws.
 * @param delayMs after which Temporal retries it; undefined: never, the workflow decides what follows
 */
export function toApplicationFailure(error: SealError, delayMs?: number): ApplicationFailure {
  const { type, message, details } = error;
  return ApplicationFailure.create({
    type,
    message: bounded(message),
    nonRetryable: delayMs === undefined,
    nextRetryDelay: delayMs,
    details: [details],
    // What is no fault is kept out of error logs and failure metrics.
    category: isFault(type, delayMs) ? undefined : ApplicationFailureCategory.BENIGN,
    cause: boundedCause(error),
  });
}

const isFault = (type: FailureType, delayMs: number | undefined): boolean => {
  const { recovery } = FAILURES[type];
  return delayMs === undefined
    ? !['reschedule', 'await landed'].includes(recovery)
    : recovery === 'retry counted';
};

/** What a message may take at the server, which keeps each: an engine's may be megabytes. */
const TEXT_BYTES = 4096;

/** The text, cut between two characters when it is too long. */
export function bounded(text: string, maxBytes = TEXT_BYTES): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const note = `… (${bytes} bytes; the rest is in the log)`;
  const room = new Uint8Array(maxBytes - Buffer.byteLength(note));
  const { read } = new TextEncoder().encodeInto(text, room);
  return text.slice(0, read) + note;
}

/** Causes that are kept, and bytes of each one's message or stack. */
const MAX_CAUSES = 5;
const CAUSE_BYTES = 2048;

/** The chain of an error's causes, each cut to size. Of an error that sealflow does not know the stack stays: it may be a bug. */
function boundedCause(error: Error, left = MAX_CAUSES): Error | undefined {
  const { cause } = error;
  if (!(cause instanceof Error) || left === 0) return undefined;
  const kept = new Error(bounded(messageOf(cause), CAUSE_BYTES), { cause: boundedCause(cause, left - 1) });
  kept.name = cause.name;
  const isUnknown = error instanceof SealError && error.type === 'Unknown';
  kept.stack = isUnknown ? bounded(cause.stack ?? '', CAUSE_BYTES) : '';
  return kept;
}
