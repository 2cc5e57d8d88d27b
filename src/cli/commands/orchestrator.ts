import { hostname } from 'node:os';
import { Command } from 'commander';
import { connectorTo } from '../../temporal/connect/native.js';
import { createLog, installRuntime } from '../../telemetry.js';
import { ServerLink } from '../../temporal/connect/link.js';
import { runOrchestrator } from '../../workers/orchestrator.js';
import { unlessStopped, untilSignal } from '../process.js';
import { targetFrom, withServer, type ServerOptions } from '../server.js';

export const orchestratorCommand = (): Command =>
  withServer(new Command('orchestrator'))
    .description('run the workflows; run two on different hosts, so that one can go down')
    .option('--metrics <host:port>', 'serve Prometheus metrics at this address')
    .action(async ({ metrics, ...options }: ServerOptions & { metrics?: string }) => {
      const log = createLog();
      const signal = untilSignal();
      installRuntime(metrics);
      const target = targetFrom(options);
      await unlessStopped(signal, async () => {
        const connect = connectorTo(target, signal, (why) => log.warn(`waiting for Temporal: ${why}`));
        const connection = await connect();
        const link = await ServerLink.to(target);
        await runOrchestrator({
          connection,
          namespace: target.namespace,
          identity: `${hostname()}#${process.pid}`,
          signal,
          serverLost: () => link.lost(),
          onReady: () => log.info('orchestrator ready'),
        });
        await Promise.all([connection.close(), link.close()]);
      });
    });
