/** The Temporal server that `sealflow dev` and the tests bring along: `temporal server start-dev`, on a database that lasts. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, stat } from 'node:fs/promises';
import { endGroup, hasEnded, spawnBound } from '../../machine/bound-process.js';
import { UserError } from '../../user-error.js';
import { chooseCli, noteRunning, openDataDirectory, type DataDirectory } from './data-directory.js';
import type { SearchAttributes } from './namespace.js';
import { freePort, requireFreePort } from './ports.js';
import { serverArguments, serverEnvironment, type ServerPlace } from './settings.js';
import { readFrom, waitUntilReady } from './server-start.js';
import type { TemporalCli } from './temporal-cli.js';

export interface EmbeddedServerOptions {
  cli: TemporalCli;
  /** Holds all state, and the server's log; made if it is not there. */
  dataDir: string;
  /** 127.0.0.1 (the default), or 0.0.0.0 for other hosts too: the server has neither TLS nor authorization. */
  ip?: string;
  /** Of the gRPC frontend; a free one if not given. */
  port?: number | undefined;
  /** Of the Web UI; a free one if not given. */
  uiPort?: number | undefined;
  namespace?: string;
  searchAttributes?: SearchAttributes;
  /** Settings of the server beside ours (tests of its limits). */
  dynamicConfig?: ServerPlace['dynamicConfig'];
  /** Hears what a person should know, a line at a time. */
  log?: (text: string) => void;
}

export interface EmbeddedServer {
  /** For clients on this host: `127.0.0.1:41234`. */
  address: string;
  uiUrl: string;
  pid: number;
  namespace: string;
  logFile: string;
  /** Resolves when the server has ended, for whatever reason. */
  ended: Promise<void>;
  /** Ends it; a second call waits for the first. */
  stop: () => Promise<void>;
}

const IPS = ['127.0.0.1', '0.0.0.0'];
/** A frontend with open long polls takes seconds to end. */
const STOP_GRACE_MS = 15_000;
// Ports that were free when we asked, its own internal ones too, may be gone when the server listens.
const TRIES = 5;
// Its parts start side by side: at load 8 one was seen to use another that was not there yet (nil pointer).
const WORTH_A_TRY = /address already in use|^panic: /im;

/**
 * Starts the server, and resolves when it can take workflows: namespace, retention and search attributes are set up.
 *
 * It ends with this process, also when that is killed with SIGKILL. All that was acknowledged is on disk then.
 *
 * @throws UserError when a given port is in use, another server uses the directory, or the server does not come up
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { ip = '127.0.0.1', port, uiPort, log = () => undefined } = options;
  if (!IPS.includes(ip)) {
    throw new UserError(`the embedded server cannot listen on ${ip}`, {
      hint: 'its parts reach each other at 127.0.0.1: take that, or 0.0.0.0 for other hosts',
    });
  }
  const directory = await openDataDirectory(options.dataDir);
  try {
    if (port) await requireFreePort(ip, port, 'Temporal server');
    if (uiPort) await requireFreePort(ip, uiPort, 'Temporal Web UI');
    const cli = await chooseCli(directory, options.cli, log);
    for (let left = TRIES; ; left--) {
      const started = await tryToStart(directory, { ...options, ip, cli });
      if ('address' in started) return started;
      if (left === 1 || !WORTH_A_TRY.test(started.said)) throw started.error;
    }
  } finally {
    // The server has a share of it.
    await directory.lock.release();
  }
}

interface FailedStart {
  error: UserError;
  /** What the server wrote to its log. */
  said: string;
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
    const said = await readFrom(logFile, logStart);
    const reason = said.split('\n').findLast((line) => /error|panic/i.test(line)) ?? (error as Error).message;
    const message = `the Temporal server does not come up: ${reason.trim()}`;
    return { said, error: new UserError(message, { exitCode: 1, hint: `look at ${logFile}`, cause: error }) };
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
  place: ServerPlace,
): Promise<ChildProcess> {
  const log = await open(logFile, 'a');
  try {
    const child = spawnBound(cli.path, serverArguments(cli, place), {
      env: serverEnvironment(),
      stdio: ['ignore', log.fd, log.fd, lock.fd],
    });
    await once(child, 'spawn');
    return child;
  } finally {
    await log.close();
  }
}
