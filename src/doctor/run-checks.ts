/** Runs checks concurrently: none waits for or hides another, and each has a deadline. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MountHungError } from '../mounts/mounts.js';
import { UserError } from '../user-error.js';
import { fail, type Finding, type Verdict } from './finding.js';

export interface Check {
  /** {@link Finding.check} */
  name: string;
  /** In ms; the check fails after it. Default: {@link DEADLINE_MS}. */
  deadlineMs?: number;
  run: () => Verdict | Promise<Verdict>;
}

const DEADLINE_MS = 15_000;

/** Starts all checks. @returns their findings in the order of the checks, each as soon as it is known */
export const startChecks = (checks: readonly Check[]): Promise<Finding>[] => checks.map(runCheck);

async function runCheck({ name, deadlineMs = DEADLINE_MS, run }: Check): Promise<Finding> {
  const over = new AbortController();
  const timeout = sleep(deadlineMs, undefined, { signal: over.signal }).then(() => noAnswer(deadlineMs));
  // Aborting the timer must not cause an unhandled rejection.
  timeout.catch(() => undefined);
  try {
    return { check: name, ...(await Promise.race([(async () => run())(), timeout])) };
  } catch (error) {
    return { check: name, ...verdictOf(error) };
  } finally {
    over.abort();
  }
}

const noAnswer = (ms: number): Verdict =>
  fail(
    `no answer within ${ms / 1000} s`,
    'an answer',
    'a mount, a disk or a server that it depends on hangs',
  );

function verdictOf(error: unknown): Verdict {
  if (error instanceof MountHungError) {
    return fail(error.message, 'a mount that answers', 'check its server and the network; see `dmesg`');
  }
  const hint = error instanceof UserError ? error.hint : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return fail(message, 'a check that completes', hint ?? 'fix the reported problem, and run doctor again');
}
