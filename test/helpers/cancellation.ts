/** Why the SDK ends a task, as workers and servers report it. */
import { ActivityCancellationDetails } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';

/** The workflow asked for it. */
export const cancel = (env: MockActivityEnvironment): void =>
  env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));

/** The worker is going down. */
export const shutDown = (env: MockActivityEnvironment): void =>
  env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));

/** Temporal does not know the task any more. */
export const forget = (env: MockActivityEnvironment): void =>
  env.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));

/** The task's time was over. */
export const timeOut = (env: MockActivityEnvironment): void =>
  env.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }));
