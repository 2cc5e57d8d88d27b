/**
 * Retries happen at the server: a failure that only needs time is thrown as retryable with an explicit delay,
 * which adds no events to the history. State that attempts of a task must share travels in the heartbeat details.
 */
import { BEGUN } from '../contract.js';
import type { Carried } from '../heartbeat.js';
import { FAILURES, type FailureDetails, type FailureKind, type FailureType } from '../failures.js';
import type { Times } from '../phases.js';
import type { SealError } from '../seal-error.js';

/** After this many failures without progress a phase needs attention. */
const MAX_FAILURES = 5;

/** Facts about the attempt that failed. */
export interface AttemptInfo {
  /** 1, 2, … by Temporal's count. */
  attempt: number;
  priority: number | undefined;
  times: Times;
  /** A stop or an abort: nobody waits for its outcome in the workflow, so it is retried until it succeeds. */
  isStop: boolean;
}

const NOTHING_CARRIED: Carried = { failures: [], recorded: 0, waits: 0 };

/** Exponential backoff: `first`, doubling with each attempt (1, 2, …), up to `max`. */
const exponential = (first: number, max: number, attempt: number): number =>
  Math.min(max, first * 2 ** Math.min(attempt - 1, 30));

/**
 * What an attempt of a task takes over from the previous one. If attempt 1 finds heartbeat details, an operator
 * has reset the activity (`sealflow retry`): counting starts over.
 */
export const takeOver = (carried: Carried | undefined, attempt: number): Carried =>
  carried && attempt > 1 ? carried : { ...NOTHING_CARRIED, lastReported: carried?.lastReported };

/**
 * Decides who handles the failure of an attempt: Temporal's retry or the workflow.
 * @param carried what the attempt has taken over
 * @returns the retry delay in ms (undefined: the workflow decides what follows), and what to carry to the next
 *   attempt
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
    // Outages back off on their own: earlier counted failures do not lengthen their delay.
    waits: recovery === 'retry' ? (isProgress ? 0 : carried.waits) + 1 : 0,
  };
}

/** In ms; undefined when the workflow decides what follows. */
function delayOf(type: FailureType, { failures, waits }: Carried, info: AttemptInfo): number | undefined {
  const { attempt, times } = info;
  const { backoffFirst, backoffMax, noSlotFirst, noRoomMax } = times;
  const { recovery, max = MAX_FAILURES, delay, spread }: FailureKind = FAILURES[type];
  const backoff = (count: number): number => exponential(backoffFirst, backoffMax, count);
  switch (recovery) {
    case 'retry':
      return backoff(waits);
    case 'retry counted': {
      const same = failures.filter((other) => other === type).length;
      const isExhausted = failures.length >= MAX_FAILURES || same >= max;
      return isExhausted && !info.isStop ? undefined : backoff(failures.length);
    }
    case 'reschedule':
      // Rescheduling by the workflow gives the task priority over new work; a task that has it already gains
      // nothing.
      return info.priority === BEGUN && type !== 'Overtaken'
        ? exponential(noSlotFirst, noRoomMax, attempt)
        : undefined;
    case 'attention':
      return info.isStop && type !== 'ClaimedByOther' ? backoff(attempt) : undefined;
    case 'hand back': {
      const [first, longest] = delay ?? ['backoffFirst', 'backoffMax'];
      return exponential(times[first], times[longest], attempt) * (spread ? 0.5 + Math.random() / 2 : 1);
    }
    case 'step back':
    case 'new ticket':
    case 'await landed':
    case 'fail':
      return undefined;
  }
}
