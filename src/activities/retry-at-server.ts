/**
 * What waits, waits at the server: a failure that only needs time is thrown as one that Temporal retries, after a delay that we say, and
 * costs the history nothing. What the attempts of a task must know of each other travels in the heartbeat.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { BEGUN } from '../contract.js';
import type { Carried } from '../heartbeat.js';
import {
  FAILURES,
  isFailureType,
  type FailureDetails,
  type FailureKind,
  type FailureType,
} from '../failures.js';
import type { Times } from '../phases.js';

/** A phase that fails this often without progress needs attention. */
const MAX_FAILURES = 5;

/** What is known of the attempt that failed. */
export interface AttemptInfo {
  /** 1, 2, … by Temporal's count. */
  attempt: number;
  priority: number | undefined;
  times: Times;
  /** A stop or an abort: no person waits for its outcome in the workflow, so it is tried until it is done. */
  isStop: boolean;
}

const NOTHING_CARRIED: Carried = { failures: [], recorded: 0, waits: 0 };

/** `first`, doubling with each attempt (1, 2, …), up to `max`. */
export const growing = (first: number, max: number, attempt: number): number =>
  Math.min(max, first * 2 ** Math.min(attempt - 1, 30));

/**
 * What an attempt of a task takes over from the one before. The first one of Temporal's count that finds something was reset by a
 * person (`sealflow retry`): it counts anew.
 */
export const takeOver = (carried: Carried | undefined, attempt: number): Carried =>
  carried && attempt > 1 ? carried : { ...NOTHING_CARRIED, lastReported: carried?.lastReported };

/**
 * Decides what an attempt's failure becomes.
 * @param carried what it has taken over
 * @returns the failure to throw, and what to carry to the next attempt
 */
export function settle(
  failed: ApplicationFailure,
  carried: Carried,
  info: AttemptInfo,
): { failure: ApplicationFailure; carried: Carried } {
  // A hand-back has its delay already.
  if (failed.nextRetryDelay !== undefined && failed.nextRetryDelay !== null)
    return { failure: failed, carried };
  const type = isFailureType(failed.type) ? failed.type : 'Unknown';
  const details = (failed.details?.[0] ?? {}) as FailureDetails;
  const next = count(type, details, carried);
  const delay = delayOf(type, next, info);
  return delay === undefined
    ? { failure: failed, carried: next }
    : { failure: retryable(failed, delay, FAILURES[type].follows === 'back off'), carried: next };
}

function count(type: FailureType, details: FailureDetails, carried: Carried): Carried {
  const { follows } = FAILURES[type];
  const recorded = details.recorded ?? 0;
  const isProgress = recorded > carried.recorded;
  const before = isProgress ? [] : carried.failures;
  return {
    lastReported: details.at ?? carried.lastReported,
    recorded: Math.max(recorded, carried.recorded),
    failures: follows === 'back off' ? [...before, type] : before,
    // Outages of their own: what has failed before them does not make them longer.
    waits: follows === 'wait' ? (isProgress ? 0 : carried.waits) + 1 : 0,
  };
}

/** In ms; undefined when the workflow must decide what follows. */
function delayOf(type: FailureType, { failures, waits }: Carried, info: AttemptInfo): number | undefined {
  const { backoffFirst, backoffMax, noSlotFirst, noRoomMax } = info.times;
  const { follows, max = MAX_FAILURES }: FailureKind = FAILURES[type];
  const backoff = (tries: number): number => growing(backoffFirst, backoffMax, tries);
  switch (follows) {
    case 'wait':
      return backoff(waits);
    case 'back off': {
      const same = failures.filter((other) => other === type).length;
      const isTooMuch = failures.length >= MAX_FAILURES || same >= max;
      return isTooMuch && !info.isStop ? undefined : backoff(failures.length);
    }
    case 'again':
      // Scheduled by the workflow it would come before new work; where it does already, that gains nothing.
      return info.priority === BEGUN && type !== 'Overtaken'
        ? growing(noSlotFirst, noRoomMax, info.attempt)
        : undefined;
    case 'attention':
      return info.isStop && type !== 'ClaimedByOther' ? backoff(info.attempt) : undefined;
    case 'hand back':
      return backoff(info.attempt);
    case 'step back':
    case 'landed':
    case 'end':
      return undefined;
  }
}

function retryable(failed: ApplicationFailure, delayMs: number, isFault: boolean): ApplicationFailure {
  const { message, type, details } = failed;
  return ApplicationFailure.create({
    message,
    type: type ?? 'Unknown',
    details: details ?? [],
    nextRetryDelay: delayMs,
    // What is no fault is kept out of error logs and failure metrics.
    category: isFault ? undefined : ApplicationFailureCategory.BENIGN,
  });
}
