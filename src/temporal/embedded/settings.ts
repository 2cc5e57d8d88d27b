import { isAtLeast } from '../../machine/versions.js';
import type { TemporalCli } from './temporal-cli.js';

/**
 * By default the server takes 110 ms to hand a sector from one phase to the next, and a second for a retry delay of
 * 100 ms: it polls the queues of its single shard 20 times a second and its timers once a second. With these settings
 * a handover takes 15–20 ms, and 500 chains of six activities take 23 s instead of 48 s (two cores, CLI 1.8.2).
 */
const DYNAMIC_CONFIG: Readonly<Record<string, string | number | boolean>> = {
  'history.transferProcessorMaxPollRPS': 1_000,
  'history.transferProcessorMaxPollHostRPS': 10_000,
  'history.timerProcessorMaxPollRPS': 1_000,
  'history.timerProcessorMaxPollHostRPS': 10_000,
  'history.timerProcessorMaxTimeShift': '10ms',
  // Priorities apply only within a partition, so strict order needs a single one.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // Enables priorities; the default since server 1.31.
  'matching.useNewMatcher': true,
};

/** WAL with a sync at every commit (2 = FULL): as durable as the rollback journal, with half the syncs. */
const SQLITE_PRAGMAS: Readonly<Record<string, string>> = { journal_mode: 'WAL', synchronous: '2' };

export interface ServerSettings {
  databaseFile: string;
  namespace: string;
  ip: string;
  port: number;
  uiPort: number;
  /** In addition to those of every embedded server (tests of the server's limits). */
  dynamicConfig?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The arguments of `temporal` that start the embedded server. */
export function serverArguments(cli: TemporalCli, place: ServerSettings): string[] {
  const { databaseFile, namespace, ip, port, uiPort, dynamicConfig } = place;
  return [
    'server',
    'start-dev',
    ...['--db-filename', databaseFile],
    ...['--namespace', namespace],
    ...['--ip', ip],
    ...['--port', String(port)],
    ...['--ui-port', String(uiPort)],
    // Hosts that seal need not reach the internet. The option is new in this version.
    ...(isAtLeast(cli.version, '1.8.0') ? ['--ui-disable-news-fetch'] : []),
    ...Object.entries({ ...DYNAMIC_CONFIG, ...dynamicConfig }).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    ...Object.entries(SQLITE_PRAGMAS).flatMap(([key, value]) => ['--sqlite-pragma', `${key}=${value}`]),
  ];
}

/** Our environment without TEMPORAL_*: those are for clients, but the CLI would also read server options from them. */
export function serverEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
