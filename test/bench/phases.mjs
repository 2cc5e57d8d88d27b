import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { connectClient } from '#dist/temporal/connect/client.js';
import { targetAt } from '#dist/temporal/connect/target.js';
import { readConfig } from '#dist/config.js';
import { installRuntime } from '#dist/telemetry.js';
import { randomHex32, startSector } from '#dist/temporal/ask/start-sector.js';
import { PHASE_IDS } from '#dist/phases.js';
import { runHost } from '#dist/workers/host.js';
import { runOrchestrator } from '#dist/workers/orchestrator.js';
import { inTemporary, median, spread, withServer } from './common.mjs';
import { makeGroup } from './group.mjs';
import { noops } from './noops.mjs';

export const title =
  'six no-op phases: sealflow’s workflow and workers against a bare chain of six activities';

const ROUNDS = 60;
const WARM_UP = 3;
const quiet = { info: () => undefined, warn: () => undefined };

export const run = (print) =>
  inTemporary((directory) =>
    withServer(directory, async ({ address }) => {
      installRuntime();
      const stop = new AbortController();
      const connect = () => NativeConnection.connect({ address });
      const connection = await connect();
      const client = await connectClient(targetAt(address));
      const running = [
        runOrchestrator({ connection, namespace: 'default', identity: 'bench', signal: stop.signal }),
        runHost(await hostOptions(directory, address, connect, stop.signal)),
      ];
      const bare = await bareWorker(await connect());
      const bareRunning = bare.run();
      /** @type {Record<'sealflow' | 'bare', number[]>} */
      const times = { sealflow: [], bare: [] };
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        const sealflow = await timed(() => sealOne(client, round + WARM_UP + 1));
        const chain = await timed(() =>
          client.workflow.execute('bareChain', { workflowId: `bare-${round}`, taskQueue: 'bare' }),
        );
        if (round < 0) continue;
        times.sealflow.push(sealflow);
        times.bare.push(chain);
      }
      const ratios = times.sealflow.map((ms, i) => ms / times.bare[i]);
      print(`sealflow   ${spread(times.sealflow)} ms a sector, ${ROUNDS} rounds, in turn with`);
      print(`bare chain ${spread(times.bare)} ms`);
      print(
        `ratio      ${spread(ratios, 2)}; a hand-off between phases ${(median(times.sealflow) / 6).toFixed(0)} ms`,
      );
      stop.abort();
      bare.shutdown();
      await Promise.all([...running, bareRunning]);
    }),
  );

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function sealOne(client, number) {
  const sector = `t01000/${number}`;
  const handle = await startSector(client, {
    sector,
    size: '2KiB',
    group: 1,
    ticket: randomHex32(),
    seed: randomHex32(),
  });
  await handle.result();
}

async function bareWorker(connection) {
  const workflowsPath = fileURLToPath(new URL('./bare-workflow.cjs', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return await Worker.create({
    connection,
    taskQueue: 'bare',
    workflowBundle,
    activities: { noop: async () => undefined },
  });
}

async function hostOptions(directory, address, connect, signal) {
  const { file } = await makeGroup(directory, address, [[4, ...PHASE_IDS]]);
  return {
    config: readConfig(file),
    namespace: 'default',
    connect,
    engine: { command: ['/bin/false'], environment: {} },
    parametersMissing: async () => undefined,
    log: quiet,
    signal,
    activities: noops,
  };
}
