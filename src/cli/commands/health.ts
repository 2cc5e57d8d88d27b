import { hostname } from 'node:os';
import { Command } from 'commander';
import { describeHealth, orchestratorHealth, workerHealth } from '../../temporal/ask/health.js';
import { readConfig, type Config } from '../../config.js';
import { servedOf, statementOf } from '../../host-statement.js';
import { UserError } from '../../user-error.js';
import { toldHost, type ToldHost } from '../../temporal/ask/who-serves.js';
import { hasEnded } from '../../workers/only-worker.js';
import { print, printJson } from '../process.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';

interface HealthOptions extends ServerOptions {
  orchestrator?: boolean;
  json?: boolean;
}

/** The server's pollers outlive a worker by minutes; its own last word and its lock do not. */
async function endOf(config: Config, { pid, stopped }: ToldHost): Promise<string | undefined> {
  if (stopped) return `worker ${pid} has stopped at ${stopped.toISOString()}`;
  return (await hasEnded(config, pid))
    ? `worker ${pid} has ended without a word: killed, or crashed`
    : undefined;
}

export const healthCommand = (): Command =>
  withServer(new Command('health'))
    .description(
      "check that this host's worker (--config) or orchestrator polls the server, exit 1 if not; and what it serves",
    )
    .option('--orchestrator', 'check the orchestrator with this host name')
    .option('--json', 'print JSON')
    .action(async ({ orchestrator, json, ...server }: HealthOptions) => {
      const { config: file } = server;
      if (!orchestrator && file === undefined) throw new UserError('health needs --config or --orchestrator');
      const config = orchestrator || file === undefined ? undefined : readConfig(file);
      const client = await clientFrom(server);
      const queues = config
        ? await workerHealth(client, config.ip, config.groups)
        : [await orchestratorHealth(client, hostname())];
      const last = config && (await toldHost(client, config));
      const end = config && last && (await endOf(config, last));
      if (end !== undefined) {
        if (json) printJson({ healthy: false, queues });
        throw new UserError(end, {
          exitCode: 1,
          hint: 'start it again: its engines go on, and it adopts them; the server counts it for two minutes yet',
        });
      }
      const told = last?.isPresent ? last : undefined;
      const worker = told && {
        pid: told.pid,
        version: told.version,
        serves: servedOf(told),
        drained: told.drained !== undefined,
        statement: statementOf(told),
      };
      const unhealthy = queues.filter(({ healthy }) => !healthy);
      if (json) printJson({ healthy: unhealthy.length === 0, queues, ...(worker && { worker }) });
      if (unhealthy.length > 0)
        throw new UserError(unhealthy.map(describeHealth).join('; '), {
          exitCode: 1,
          hint: 'start it, or see its log; it counts from its first poll on',
        });
      if (json) return;
      for (const queue of queues) print(describeHealth(queue));
      if (worker) print(`worker ${worker.pid} ${worker.statement}`);
    });
