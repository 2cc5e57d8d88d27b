/** The workflow worker: runs `sealSector` workflows, and `freeNumbers` for `start --count`. Any number of them may run. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { ChainConfig } from '../chain/config.js';
import { WORKFLOW_QUEUE } from '../contract.js';
import { UserError } from '../user-error.js';
import { hurryThose } from '../temporal/ask/hurry.js';
import { createChainWorker } from './chain-worker.js';
import { CurrentDetails } from './current-details.js';
import { every } from './every.js';
import { OWN_VERSION } from './own-version.js';

/** Built by `npm run build`; must be run by the same SDK version. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.cjs', import.meta.url));

const RETRY_MS = 500;
/** One question to the server; deadlines are hours away when they are near. */
const HURRY_MS = 20_000;

export interface OrchestratorOptions {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  /** Stops the worker. */
  signal: AbortSignal;
  /** The chain that it watches for sectors that follow it. */
  chain?: ChainConfig | undefined;
  /**
   * Resolves when the connection to the server is lost. The server may come back with an older state of its
   * data. A cached workflow would then be ahead of the server's history: the worker would answer its tasks with
   * commands that follow events the server does not have, and the sector would wait forever (SDK 1.24 does not
   * detect this). So the workflow cache is dropped after each outage.
   */
  serverLost?: () => Promise<void>;
  /** Called with the tasks that were moved to the front of their queues as their sectors' deadlines are near. */
  onHurried?: (tasks: string[]) => void;
  /** Called when the worker starts to poll, and again after each outage. */
  onReady?: () => void;
  /** Max number of cached workflows; 0 makes each workflow task replay its whole history (tests). */
  maxCachedWorkflows?: number;
}

/** Runs until the signal is aborted. @throws UserError when sealflow has not been built */
export async function runOrchestrator(options: OrchestratorOptions): Promise<void> {
  if (!existsSync(WORKFLOW_BUNDLE)) {
    throw new UserError('the workflow bundle is missing', { hint: 'npm run build' });
  }
  const asked =
    options.chain && (await createChainWorker({ ...options, chain: options.chain, host: hostname() }));
  const client = new Client({ connection: options.connection, namespace: options.namespace });
  // Lists lag, servers are away: a look that fails is made up for by the next.
  every(HURRY_MS, options.signal, () => hurryThose(client).then(options.onHurried, () => undefined));
  // It has no state that an outage could make wrong: it runs beside the workflows, as long as they do.
  const asking = asked?.run();
  asking?.catch(() => undefined);
  try {
    await runOnce(await createWorker(options), options);
    while (!options.signal.aborted) await runOnce(await recreateWorker(options), options);
  } finally {
    if (asked?.getState() === 'RUNNING') asked.shutdown();
    await asking;
  }
}

const createWorker = ({
  connection,
  namespace,
  identity,
  ...options
}: OrchestratorOptions): Promise<Worker> =>
  Worker.create({
    connection,
    namespace,
    identity,
    dataConverter: { payloadCodecs: [new CurrentDetails(new Client({ connection, namespace, identity }))] },
    workerDeploymentOptions: OWN_VERSION,
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
  });

/** Creates a worker after an outage; retries because the server may be up but not ready yet. */
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

/** Runs a worker, and with it its workflow cache, until the signal is aborted or the server is lost. */
async function runOnce(worker: Worker, { signal, serverLost, onReady }: OrchestratorOptions): Promise<void> {
  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  const running = worker.run();
  onReady?.();
  if (signal.aborted) stop();
  // A rejection means that the connection was closed on purpose.
  serverLost?.().then(stop, () => undefined);
  await running;
  signal.removeEventListener('abort', stop);
}
