/** Running checks side by side: none waits for another, none hides another, none is waited for without end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MountHungError } from '../mounts/mounts.js';
import { UserError } from '../user-error.js';
import { fail, type Finding, type Verdict } from './finding.js';

export interface Check {
  /** {@link Finding.check} */
  name: string;
  /** In ms; after it the check has failed, whatever it still waits for. {@link DEADLINE_MS} if not given. */
  deadlineMs?: number;
  look: () => Verdict | Promise<Verdict>;
}

const DEADLINE_MS = 15_000;

/** Starts all checks. @returns their findings in the order of the checks, each as soon as it is known */
export const startChecks = (checks: readonly Check[]): Promise<Finding>[] => checks.map(runCheck);

async function runCheck({ name, deadlineMs = DEADLINE_MS, look }: Check): Promise<Finding> {
  const over = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: over.signal }).then(() => noAnswer(deadlineMs));
  // What is thrown away at the end must not be an unhandled rejection.
  late.catch(() => undefined);
  try {
    return { check: name, ...(await Promise.race([(async () => look())(), late])) };
  } catch (error) {
    return { check: name, ...reportedByError(error) };
  } finally {
    over.abort();
  }
}

const noAnswer = (ms: number): Verdict =>
  fail(
    `no answer within ${ms / 1000} s`,
    'an answer',
    'something that it waits for hangs: a mount, a disk or a server',
  );

function reportedByError(error: unknown): Verdict {
  if (error instanceof MountHungError) {
    return fail(error.message, 'a mount that answers', 'look at its server and the network; `dmesg` tells');
  }
  const hint = error instanceof UserError ? error.hint : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return fail(message, 'that it can be looked at', hint ?? 'mend what is told, and run doctor again');
}
