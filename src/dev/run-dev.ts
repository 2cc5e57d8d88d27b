/** `sealflow dev`: everything on this machine, and real sectors through it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { connectClient } from '../temporal/connect/client.js';
import { targetAt } from '../temporal/connect/target.js';
import { workflowId } from '../contract.js';
import { SEARCH_ATTRIBUTES } from '../search-attributes.js';
import { buildEngine } from '../engines/build/build.js';
import { findEngine } from '../engines/locate.js';
import { ensureParameters } from '../engines/parameters.js';
import { PHASE_IDS, type PhaseId, type SectorSize } from '../phases.js';
import { sectorOf } from '../sector.js';
import { startEmbeddedServer, type EmbeddedServer } from '../temporal/embedded/embedded-server.js';
import { findTemporalCli } from '../temporal/embedded/temporal-cli.js';
import { createDisplay } from './display.js';
import { requirePrerequisites } from './prerequisites.js';
import { openDevHome, writeConfig } from './home.js';
import { DevProcesses } from './child-processes.js';
import { allSealed, startSectors, untilServed } from './sectors.js';
import { describeSealed, verifyReceipt } from './summary.js';

export interface DevOptions {
  directory: string;
  sectors: number;
  size: SectorSize;
  /** Keep server and worker after the summary, until the signal. */
  keep: boolean;
  port?: number;
  uiPort?: number;
  /** Factor of all times of the sectors; tests only. */
  timeScale?: number;
  /** Ends it: server, worker and engines are stopped, all sectors stay as they are. */
  signal: AbortSignal;
}

/**
 * Brings everything up, seals the sectors, reports their progress, and shuts everything down again.
 * @throws UserError with the first thing that went wrong.
 */
export async function runDev(options: DevOptions): Promise<void> {
  const { size, keep } = options;
  await requirePrerequisites(size);
  const home = await openDevHome(options.directory);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const stops: (() => Promise<void>)[] = [];
  const display = createDisplay(process.stdout);

  const server = display.step(
    'Temporal server',
    async (onStep) => {
      const cli = await findTemporalCli({ onStep, signal });
      onStep('starting');
      const started = await startEmbeddedServer({
        cli,
        dataDir: home.serverData,
        port: options.port,
        uiPort: options.uiPort,
        searchAttributes: SEARCH_ATTRIBUTES,
        log: onStep,
      });
      stops.push(() => started.stop());
      return started;
    },
    ({ address, uiUrl }) => `${address}, Web UI ${uiUrl}`,
  );
  const engine = display.step(
    'engine',
    async (onStep) => (await findEngine()) ?? (await buildEngine({ onStep, signal })),
  );
  const parameters = display.step(`proof parameters for ${size}`, async (onStep) => {
    onStep('waiting for the engine');
    return await ensureParameters(await engine, size, { onStep, signal });
  });
  const client = display.step('worker', async (onStep) => {
    onStep('waiting for server and engine');
    const [{ address }, { command }] = [await server, await engine];
    const processes = new DevProcesses(home, { TEMPORAL_ADDRESS: address, SEALFLOW_ENGINE: command[0] });
    stops.unshift(() => processes.stop());
    processes.start('orchestrator', ['orchestrator']);
    processes.start('worker', ['worker', '--config', await writeConfig(home, address, size)]);
    processes.watch().catch((error: unknown) => failed.abort(error));
    const connected = await connectClient(targetAt(address));
    onStep('starting');
    // P4 is served when its parameters are there.
    const phases = PHASE_IDS.filter((phase) => phase !== 'P4');
    await untilServed(connected, size, phases, signal);
    return connected;
  });
  const started = display.step(
    'start',
    async (onStep) => {
      onStep('waiting for the worker');
      const names = await startSectors(await client, home, options);
      const all = `${(await server).uiUrl}/namespaces/default/workflows`;
      return { names, page: names.length === 1 ? `${all}/${workflowId(sectorOf(names[0] ?? ''))}` : all };
    },
    ({ names, page }) => `${names.join(' ')}, see ${page}`,
  );
  const sealed = display.step('seal', async (onStep) => {
    onStep('waiting for the start');
    const connected = await client;
    let isP4Served = false;
    const served = parameters.then(() => untilServed(connected, size, ['P4'], signal));
    served.then(() => (isP4Served = true)).catch(() => undefined);
    const awaits = (phase: PhaseId) => (phase === 'P4' && !isP4Served ? 'the proof parameters' : undefined);
    return await allSealed(connected, (await started).names, { signal, onStep, awaits });
  });

  // The first failure ends the others; what it waits for must not hide it.
  const all = [server, engine, parameters, client, started, sealed];
  for (const step of all) step.catch((error: unknown) => failed.abort(error));
  try {
    await display.start();
    if (options.signal.aborted) return print('stopped; the same command goes on with its sectors');
    failed.signal.throwIfAborted();
    for (const { result, status } of await sealed) {
      await verifyReceipt(await engine, join(home.storageNode, result.storage.receipt));
      for (const line of describeSealed(result, status, home.storageNode)) print(line);
    }
    if (keep) await keepOpen(await server, options.signal, failed.signal);
    else print('`npm start -- --keep` keeps the server and its Web UI open');
  } finally {
    for (const stop of stops) await stop();
  }
}

async function keepOpen(
  { uiUrl, address }: EmbeddedServer,
  signal: AbortSignal,
  failed: AbortSignal,
): Promise<void> {
  print(`Web UI    ${uiUrl}`);
  print(`commands  TEMPORAL_ADDRESS=${address} npx sealflow status`);
  print('Ctrl-C ends it');
  const either = AbortSignal.any([signal, failed]);
  if (!either.aborted) await once(either, 'abort');
  failed.throwIfAborted();
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
