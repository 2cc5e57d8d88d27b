import { hostname } from 'node:os';
import { Client } from '@temporalio/client';
import { Command } from 'commander';
import { readOrchestratorConfig, sourceOf } from '../../chain/config.js';
import { connectorTo } from '../../temporal/connect/native.js';
import { targetOf } from '../../temporal/connect/target.js';
import { VERSION } from '../../version.js';
import { createLog, installRuntime } from '../../telemetry.js';
import { NotReadyError, requireSetUp } from '../../temporal/ask/ready.js';
import { ServerLink } from '../../temporal/connect/link.js';
import { runOrchestrator } from '../../workers/orchestrator.js';
import { unlessStopped, untilSignal } from '../process.js';
import { withServer, type ServerOptions } from '../server.js';

/**
 * After an upgrade that brings new search attributes: the tasks of all sectors would fail, again and again. Whatever else the server
 * answers, a sector's own task will show.
 */
async function refuseWithoutAttributes(client: Client): Promise<void> {
  await requireSetUp(client).catch((error: unknown) => {
    if (error instanceof NotReadyError) throw error;
  });
}

export const orchestratorCommand = (): Command =>
  withServer(new Command('orchestrator'))
    .description('run the workflows; run two on different hosts, so that one can go down')
    .option('--metrics <host:port>', 'serve Prometheus metrics at this address')
    .action(async ({ metrics, ...options }: ServerOptions & { metrics?: string }) => {
      const log = createLog();
      const signal = untilSignal((name) =>
        log.info(`orchestrator stopping (${name}): sectors go on with another one`),
      );
      const identity = `${hostname()}#${process.pid}`;
      installRuntime(metrics);
      let isReady = false;
      const { address, config: file } = options;
      const config = file === undefined ? undefined : readOrchestratorConfig(file);
      const target = targetOf({ address, schedulerUrl: config?.schedulerUrl });
      await unlessStopped(signal, async () => {
        const connect = connectorTo(target, signal, (why) => log.warn(`waiting for Temporal: ${why}`));
        const connection = await connect();
        await refuseWithoutAttributes(new Client({ connection, namespace: target.namespace }));
        const link = await ServerLink.to(target);
        await runOrchestrator({
          connection,
          namespace: target.namespace,
          identity,
          signal,
          chain: config?.chain,
          serverLost: async () => {
            await link.lost();
            log.warn(
              'the connection to Temporal is lost: cached workflows are dropped, and read anew when it is back',
            );
          },
          onHurried: (tasks) => {
            if (tasks.length > 0)
              log.info(`to the front of its queue, as its deadline is near: ${tasks.join(', ')}`);
          },
          onReady: () => {
            isReady = true;
            const chain = config?.chain;
            const watches = chain ? `; watches ${chain.network.name} ${sourceOf(chain)}` : '';
            log.info(`orchestrator ready: sealflow ${VERSION}, ${identity}${watches}`);
          },
        });
        await Promise.all([connection.close(), link.close()]);
      }).catch((error: unknown) => {
        if (isReady) log.warn(`orchestrator ends: ${(error as Error).message}`);
        throw error;
      });
      log.info('orchestrator stopped');
    });
