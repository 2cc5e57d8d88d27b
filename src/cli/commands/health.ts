import { hostname } from 'node:os';
import { Command } from 'commander';
import { describeHealth, orchestratorHealth, workerHealth } from '../../temporal/ask/health.js';
import { readConfig } from '../../config.js';
import { UserError } from '../../user-error.js';
import { servedOf, statementOf } from '../../workers/serving.js';
import { readWorkerNote } from '../../workers/worker-note.js';
import { print, printJson } from '../process.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';

interface HealthOptions extends ServerOptions {
  orchestrator?: boolean;
  json?: boolean;
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
      // What it serves is known on its host only, and only if it runs as this user.
      const note = config && (await readWorkerNote(config));
      const worker = note && {
        pid: note.pid,
        version: note.version,
        serves: servedOf(note),
        drained: note.drained !== undefined,
        statement: statementOf(note),
      };
      const unhealthy = queues.filter(({ healthy }) => !healthy);
      if (json) printJson({ healthy: unhealthy.length === 0, queues, ...(worker && { worker }) });
      if (unhealthy.length > 0)
        throw new UserError(unhealthy.map(describeHealth).join('; '), { exitCode: 1 });
      if (json) return;
      for (const queue of queues) print(describeHealth(queue));
      if (worker) print(`worker ${worker.pid} ${worker.statement}`);
    });
