/** A Temporal server and the workflow code of src/, for tests and for the recorder of histories. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import { startEmbeddedServer } from '../../src/temporal/embedded/embedded-server.js';
import { findTemporalCli } from '../../src/temporal/embedded/temporal-cli.js';
import { bundleOptions } from '../../src/workers/bundle-options.js';
import { CurrentDetails } from '../../src/workers/current-details.js';

/** In histories too, so that they show nothing of the machine that made them. */
export const IDENTITY = 'test';

/** What test files share; plain data, as it goes from process to process. */
export interface Shared {
  address: string;
  /** The file of the bundle. It is made from src/ each time, so that no test runs yesterday's build. */
  bundle: string;
}

/**
 * Takes seconds; the first time that a Temporal CLI is needed on a machine it may take minutes.
 * @param dynamicConfig of the server, beside what every embedded server has
 */
export async function startShared(
  dynamicConfig?: Record<string, number>,
): Promise<Shared & { stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'sealflow-workflow-'));
  const bundle = join(directory, 'workflow-bundle.cjs');
  await writeFile(bundle, await bundleCode());
  const cli = await findTemporalCli();
  const server = await startEmbeddedServer({
    cli,
    dataDir: directory,
    searchAttributes: SEARCH_ATTRIBUTES,
    dynamicConfig,
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { address: server.address, bundle, stop };
}

export async function bundleCode(): Promise<string> {
  const { code } = await bundleWorkflowCode(bundleOptions());
  return code;
}

/** This process's connections to the shared server. */
export interface Temporal {
  client: Client;
  connection: NativeConnection;
  bundle: string;
  close(): Promise<void>;
}

export async function connectTemporal({ address, bundle }: Shared): Promise<Temporal> {
  quiet();
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection, identity: IDENTITY });
  const close = async (): Promise<void> => {
    await clientConnection.close();
    await connection.close();
  };
  return { client, connection, bundle, close };
}

/** Failures are what most tests are about: only what the SDK calls an error is shown. Call it before anything of the SDK. */
export function quiet(): void {
  try {
    const telemetryOptions = { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } };
    // Signals are for the process that runs the tests, not for the workers in it.
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [], telemetryOptions });
  } catch {
    // It is installed once for each process.
  }
}

export interface Running {
  stop(): Promise<void>;
}

/** Runs a Worker until it is stopped. */
export function run(worker: Worker): Running {
  const running = worker.run();
  running.catch(() => undefined); // `stop` reports it.
  return {
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

/** @param maxCachedWorkflows 0: each workflow task replays the whole history */
export async function runOrchestrator(
  { client, connection, bundle }: Temporal,
  taskQueue: string,
  maxCachedWorkflows?: number,
): Promise<Running> {
  const worker = await Worker.create({
    connection,
    identity: IDENTITY,
    taskQueue,
    workflowBundle: { codePath: bundle },
    dataConverter: { payloadCodecs: [new CurrentDetails(client)] },
    ...(maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows }),
  });
  return run(worker);
}
