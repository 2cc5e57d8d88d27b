/** The workflow worker: runs `sealSector`, and nothing else. Any number of them may run. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { WORKFLOW_QUEUE } from '../contract.js';
import { UserError } from '../user-error.js';

/** Made by `npm run build`; the same SDK version must run it. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.cjs', import.meta.url));

const RETRY_MS = 500;

export interface OrchestratorOptions {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  /** Ends it. */
  signal: AbortSignal;
  /**
   * Resolves when the server has gone away. It may come back with an older state of its data, and a workflow that is still in
   * memory would go on from a future that the server knows nothing of: its tasks are answered with what comes after events
   * that never were, and the sector waits for ever (SDK 1.24 does not notice). So nothing is remembered over an outage.
   */
  serverLost?: () => Promise<void>;
  /** Called when it polls. */
  onReady?: () => void;
  /** Workflows kept in memory; 0 makes each workflow task replay its whole history (tests). */
  maxCachedWorkflows?: number;
}

/** Runs until the signal is aborted. @throws UserError when sealflow is not built. */
export async function runOrchestrator(options: OrchestratorOptions): Promise<void> {
  if (!existsSync(WORKFLOW_BUNDLE)) {
    throw new UserError('the workflow bundle is missing', { hint: 'npm run build' });
  }
  await runOnce(await createWorker(options), options);
  while (!options.signal.aborted) await runOnce(await recreateWorker(options), options);
}

const createWorker = (options: OrchestratorOptions): Promise<Worker> =>
  Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    identity: options.identity,
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
  });

/** After the server was away: it may be there, but not ready yet. */
async function recreateWorker(options: OrchestratorOptions): Promise<Worker> {
  for (;;) {
    try {
      return await createWorker(options);
    } catch {
      await sleep(RETRY_MS, undefined, { signal: options.signal }).catch(() => undefined);
      options.signal.throwIfAborted();
    }
  }
}

/** Runs a worker until the signal is aborted or the server is lost: with it ends all that it remembers of workflows. */
async function runOnce(worker: Worker, { signal, serverLost, onReady }: OrchestratorOptions): Promise<void> {
  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  const running = worker.run();
  onReady?.();
  if (signal.aborted) stop();
  // A link that was closed on purpose tells nothing.
  serverLost?.().then(stop, () => undefined);
  await running;
  signal.removeEventListener('abort', stop);
}
