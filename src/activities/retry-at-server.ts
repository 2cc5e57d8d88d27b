/**
 * What waits, waits at the server: a failure that only needs time is thrown as one that Temporal retries, after a delay that we say, and
 * costs the history nothing. What the attempts of a task must know of each other travels in the heartbeat.
 */
import { BEGUN } from '../contract.js';
import type { Carried } from '../heartbeat.js';
import { FAILURES, type FailureDetails, type FailureKind, type FailureType } from '../failures.js';
import type { Times } from '../phases.js';
import type { SealError } from '../seal-error.js';

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
const growing = (first: number, max: number, attempt: number): number =>
  Math.min(max, first * 2 ** Math.min(attempt - 1, 30));

/**
 * What an attempt of a task takes over from the one before. The first one of Temporal's count that finds something was reset by a
 * person (`sealflow retry`): it counts anew.
 */
export const takeOver = (carried: Carried | undefined, attempt: number): Carried =>
  carried && attempt > 1 ? carried : { ...NOTHING_CARRIED, lastReported: carried?.lastReported };

/**
 * Decides who deals with the failure of an attempt.
 * @param carried what the attempt has taken over
 * @returns after how many ms Temporal retries it (undefined: the workflow decides what follows), and what to carry to the next attempt
 */
export function settle(
  { type, details }: SealError,
  carried: Carried,
  info: AttemptInfo,
): { delayMs: number | undefined; carried: Carried } {
  const next = count(type, details, carried);
  return { delayMs: delayOf(type, next, info), carried: next };
}

function count(type: FailureType, details: FailureDetails, carried: Carried): Carried {
  const { recovery } = FAILURES[type];
  if (recovery === 'hand back') return carried;
  const recorded = details.recorded ?? 0;
  const isProgress = recorded > carried.recorded;
  const before = isProgress ? [] : carried.failures;
  return {
    lastReported: details.at ?? carried.lastReported,
    recorded: Math.max(recorded, carried.recorded),
    failures: recovery === 'retry counted' ? [...before, type] : before,
    // Outages of their own: what has failed before them does not make them longer.
    waits: recovery === 'retry' ? (isProgress ? 0 : carried.waits) + 1 : 0,
  };
}

/** In ms; undefined when the workflow decides what follows. */
function delayOf(type: FailureType, { failures, waits }: Carried, info: AttemptInfo): number | undefined {
  const { attempt, times } = info;
  const { backoffFirst, backoffMax, noSlotFirst, noRoomMax } = times;
  const { recovery, max = MAX_FAILURES, delay, spread }: FailureKind = FAILURES[type];
  const backoff = (tries: number): number => growing(backoffFirst, backoffMax, tries);
  switch (recovery) {
    case 'retry':
      return backoff(waits);
    case 'retry counted': {
      const same = failures.filter((other) => other === type).length;
      const isTooMuch = failures.length >= MAX_FAILURES || same >= max;
      return isTooMuch && !info.isStop ? undefined : backoff(failures.length);
    }
    case 'reschedule':
      // Scheduled by the workflow it would come before new work; where it does already, that gains nothing.
      return info.priority === BEGUN && type !== 'Overtaken'
        ? growing(noSlotFirst, noRoomMax, attempt)
        : undefined;
    case 'attention':
      return info.isStop && type !== 'ClaimedByOther' ? backoff(attempt) : undefined;
    case 'hand back': {
      const [first, longest] = delay ?? ['backoffFirst', 'backoffMax'];
      return growing(times[first], times[longest], attempt) * (spread ? 0.5 + Math.random() / 2 : 1);
    }
    case 'step back':
    case 'await landed':
    case 'fail':
      return undefined;
  }
}
