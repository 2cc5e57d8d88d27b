/** The Temporal server of `sealflow dev` and the tests: `temporal server start-dev` with a persistent database. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, stat } from 'node:fs/promises';
import { endGroup, hasEnded, spawnBound } from '../../machine/bound-process.js';
import { UserError } from '../../user-error.js';
import { chooseCli, noteRunning, openDataDirectory, type DataDirectory } from './data-directory.js';
import type { SearchAttributes } from './namespace.js';
import { freePort, requireFreePort } from './ports.js';
import { serverArguments, serverEnvironment, type ServerSettings } from './settings.js';
import { readFrom, waitUntilReady } from './server-start.js';
import type { TemporalCli } from './temporal-cli.js';

export interface EmbeddedServerOptions {
  cli: TemporalCli;
  /** Holds all state and the server's log; created if missing. */
  dataDir: string;
  /** 127.0.0.1 (default), or 0.0.0.0 to be reachable from other hosts. The server has neither TLS nor authorization. */
  ip?: string;
  /** Port of the gRPC frontend; default: a free port. */
  port?: number | undefined;
  /** Port of the Web UI; default: a free port. */
  uiPort?: number | undefined;
  namespace?: string;
  searchAttributes?: SearchAttributes;
  /** Additional settings of the server (tests of its limits). */
  dynamicConfig?: ServerSettings['dynamicConfig'];
  /** Receives messages for people, one line at a time. */
  log?: (text: string) => void;
}

export interface EmbeddedServer {
  /** For clients on this host: `127.0.0.1:41234`. */
  address: string;
  uiUrl: string;
  pid: number;
  namespace: string;
  logFile: string;
  /** Resolves when the server has exited, for whatever reason. */
  ended: Promise<void>;
  /** Stops the server; a second call waits for the first. */
  stop: () => Promise<void>;
}

const IPS = ['127.0.0.1', '0.0.0.0'];
/** A frontend with open long polls takes seconds to stop. */
const STOP_GRACE_MS = 15_000;
// Ports that were free, including the server's internal ones, may be taken by the time the server listens.
const MAX_STARTS = 5;
// Its services start concurrently: at load 8, one was seen using another that was not up yet (nil pointer).
const RETRYABLE = /address already in use|^panic: /im;

/**
 * Starts the server, and resolves when it can take workflows: namespace, retention and search attributes are set up.
 *
 * The server ends with this process, even if that is killed with SIGKILL. All acknowledged state is on disk.
 *
 * @throws UserError when a given port is in use, another server uses the directory, or the server does not start
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { ip = '127.0.0.1', port, uiPort, log = () => undefined } = options;
  if (!IPS.includes(ip)) {
    throw new UserError(`the embedded server cannot listen on ${ip}`, {
      hint: 'its services reach each other at 127.0.0.1: use that, or 0.0.0.0 to be reachable from other hosts',
    });
  }
  const directory = await openDataDirectory(options.dataDir);
  try {
    if (port) await requireFreePort(ip, port, 'Temporal server');
    if (uiPort) await requireFreePort(ip, uiPort, 'Temporal Web UI');
    const cli = await chooseCli(directory, options.cli, log);
    for (let left = MAX_STARTS; ; left--) {
      const started = await tryToStart(directory, { ...options, ip, cli });
      if ('address' in started) return started;
      if (left === 1 || !RETRYABLE.test(started.output)) throw started.error;
    }
  } finally {
    // The server has inherited the lock.
    await directory.lock.release();
  }
}

interface FailedStart {
  error: UserError;
  /** What the server wrote to its log. */
  output: string;
}

async function tryToStart(
  directory: DataDirectory,
  options: EmbeddedServerOptions & { ip: string },
): Promise<EmbeddedServer | FailedStart> {
  const { cli, ip, namespace = 'default', searchAttributes = {}, dynamicConfig } = options;
  const { databaseFile, logFile } = directory;
  const port = options.port || (await freePort(ip));
  const uiPort = options.uiPort || (await freePort(ip));
  const logStart = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  const child = await spawnServer(cli, directory, {
    databaseFile,
    namespace,
    ip,
    port,
    uiPort,
    dynamicConfig,
  });
  const address = `127.0.0.1:${port}`;
  try {
    await waitUntilReady(child, { address, namespace, searchAttributes });
  } catch (error) {
    await endGroup(child, STOP_GRACE_MS);
    const output = await readFrom(logFile, logStart);
    const reason =
      output.split('\n').findLast((line) => /error|panic/i.test(line)) ?? (error as Error).message;
    const message = `the Temporal server does not start: ${reason.trim()}`;
    return { output, error: new UserError(message, { exitCode: 1, hint: `see ${logFile}`, cause: error }) };
  }
  const running = { pid: child.pid as number, address, uiUrl: `http://127.0.0.1:${uiPort}` };
  await noteRunning(directory, running);
  const ended = hasEnded(child) ? Promise.resolve() : once(child, 'exit').then(() => undefined);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= endGroup(child, STOP_GRACE_MS));
  return { ...running, namespace, logFile, ended, stop };
}

async function spawnServer(
  cli: TemporalCli,
  { logFile, lock }: DataDirectory,
  settings: ServerSettings,
): Promise<ChildProcess> {
  const log = await open(logFile, 'a');
  try {
    const child = spawnBound(cli.path, serverArguments(cli, settings), {
      env: serverEnvironment(),
      stdio: ['ignore', log.fd, log.fd, lock.fd],
    });
    await once(child, 'spawn');
    return child;
  } finally {
    await log.close();
  }
}
