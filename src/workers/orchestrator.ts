/** The workflow worker: runs `sealSector`, and nothing else. Any number of them may run. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { WORKFLOW_QUEUE } from '../contract.js';
import { UserError } from '../user-error.js';

/** Made by `npm run build`; the same SDK version must run it. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.cjs', import.meta.url));

export interface OrchestratorOptions {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  /** Ends it. */
  signal: AbortSignal;
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
  const worker = await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    identity: options.identity,
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
  });
  const stop = () => worker.shutdown();
  options.signal.addEventListener('abort', stop, { once: true });
  const running = worker.run();
  options.onReady?.();
  if (options.signal.aborted) stop();
  await running;
}
