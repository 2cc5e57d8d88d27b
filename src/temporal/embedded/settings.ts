import { isAtLeast } from '../../machine/versions.js';
import type { TemporalCli } from './temporal-cli.js';

/**
 * As it comes, the server takes 110 ms to hand a sector from one phase to the next and a second for a retry delay of 100 ms:
 * its queues are read 20 times a second on their one shard, and timers are looked at once a second. With these
 * settings it takes 15–20 ms, and 500 chains of six activities take 23 s instead of 48 s (measured on two cores, CLI 1.8.2).
 */
const DYNAMIC_CONFIG: Readonly<Record<string, string | number | boolean>> = {
  'history.transferProcessorMaxPollRPS': 1_000,
  'history.transferProcessorMaxPollHostRPS': 10_000,
  'history.timerProcessorMaxPollRPS': 1_000,
  'history.timerProcessorMaxPollHostRPS': 10_000,
  'history.timerProcessorMaxTimeShift': '10ms',
  // Priorities hold within a partition only, so that strict order needs a single one.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // Priorities at all; the default from server 1.31 on.
  'matching.useNewMatcher': true,
};

/** WAL with a sync at every commit (2 = FULL): as durable as the rollback journal, with half of the syncs. */
const SQLITE_PRAGMAS: Readonly<Record<string, string>> = { journal_mode: 'WAL', synchronous: '2' };

export interface ServerPlace {
  databaseFile: string;
  namespace: string;
  ip: string;
  port: number;
  uiPort: number;
  /** Beside those of every embedded server (tests of the server's limits). */
  dynamicConfig?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The arguments of `temporal` that start the embedded server. */
export function serverArguments(cli: TemporalCli, place: ServerPlace): string[] {
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

/** Our environment without TEMPORAL_*: those are for clients, and the CLI takes options of the server from them too. */
export function serverEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
