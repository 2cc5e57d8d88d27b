/** Logs and metrics of a worker process. */
import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import { PHASES } from './phases.js';
import { UserError } from './user-error.js';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** One line an entry, on stderr if nothing else is said: time, level, message. */
export const createLog = (print = toStderr): Log => ({
  info: (message) => print(lineOf(new Date(), 'INFO', message)),
  warn: (message) => print(lineOf(new Date(), 'WARN', message)),
});

/**
 * To be called once, before any connection is made. Signals are left to the caller: a second one must not kill.
 * @param metricsListen where Prometheus metrics are served, `<IP address>:<port>`
 * @throws UserError when they cannot be served there
 */
export function installRuntime(metricsListen?: string): void {
  const metrics =
    metricsListen === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsListen } } };
  try {
    Runtime.install({
      logger: new DefaultLogger('WARN', writeEntry),
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } }, ...metrics },
    });
  } catch (error) {
    if (metricsListen === undefined) throw error;
    // In use, not of this host, or below 1024 without the right to it: the system's message names the reason.
    const port = metricsListen.slice(metricsListen.lastIndexOf(':') + 1);
    throw new UserError(`[metrics] listen = "${metricsListen}": ${(error as Error).message}`, {
      exitCode: 1,
      hint: `take another address or port in config.toml, or stop what listens there (ss -ltnp 'sport = :${port}' shows it)`,
      cause: error,
    });
  }
}

/** Said at each start, and meant so: workflows and activities have workers of their own. */
const EXPECTED = /^No (workflows|activities|Nexus services) registered/;
/** A stop cancels what it says good-bye with. */
const AT_STOP = /^shutdown_worker rpc errored during worker shutdown: .*Cancelled/s;
/** How a phase fails is told in a line of the worker's own (src/activities/journal.ts); a stop and an abort have none. */
const TOLD: ReadonlySet<unknown> = new Set(Object.values(PHASES).map(({ activity }) => activity));

/** Whether an entry of the SDK is worth a line. */
export const isWorthALine = ({ message, meta }: Pick<LogEntry, 'message' | 'meta'>): boolean =>
  !EXPECTED.test(message) &&
  !AT_STOP.test(message) &&
  !(message === 'Activity failed' && TOLD.has(meta?.activityType));

function writeEntry(entry: LogEntry): void {
  if (!isWorthALine(entry)) return;
  const { timestampNanos, level, message, meta } = entry;
  const rest = Object.entries(meta ?? {})
    .filter(([key, value]) => value !== undefined && LOGGED_KEYS.includes(key))
    .map(([key, value]) => ` ${key}=${value instanceof Error ? value.message : JSON.stringify(value)}`);
  toStderr(lineOf(new Date(Number(timestampNanos / 1_000_000n)), level, message + rest.join('')));
}

// Of all that the SDK adds to its entries, what a person can use.
const LOGGED_KEYS = ['taskQueue', 'workflowId', 'activityType', 'attempt', 'error'];

const lineOf = (time: Date, level: string, message: string): string =>
  `${time.toISOString()} ${level.padEnd(5)} ${message}\n`;

const toStderr = (line: string): void => void process.stderr.write(line);
