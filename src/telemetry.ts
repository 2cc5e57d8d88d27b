/** Logs and metrics of a worker process. */
import { DefaultLogger, Runtime, type LogEntry, type Logger } from '@temporalio/worker';

export type Log = Logger;

/** One line an entry on stderr: time, level, message, then what belongs to it. */
export function createLog(level: 'DEBUG' | 'INFO' | 'WARN' = 'INFO'): Log {
  return new DefaultLogger(level, (entry) => process.stderr.write(`${line(entry)}\n`));
}

function line({ timestampNanos, level, message, meta }: LogEntry): string {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const rest = Object.entries(meta ?? {})
    .filter(([key, value]) => value !== undefined && !NOISE.has(key))
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : JSON.stringify(value)}`);
  return [time, level.padEnd(5), message, ...rest].join(' ');
}

// What the SDK adds to each entry and every line of one process has in common.
const NOISE = new Set(['sdkComponent', 'namespace', 'isLocal']);

/** To be called once, before any connection is made. Signals are left to the caller: a second one must not kill. */
export function installRuntime(log: Log, metricsListen?: string): void {
  Runtime.install({
    logger: log,
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } },
      ...(metricsListen === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsListen } } }),
    },
  });
}
