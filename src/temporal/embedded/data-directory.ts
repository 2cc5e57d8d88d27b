/**
 * The directory of an embedded server:
 *
 *     temporal.db    SQLite, all state
 *     temporal.log   the server's log
 *     server.json    version of the CLI that created the database
 *     running.json   the running server; valid only while `lock` is held
 *     lock           held by the server process itself, so released when that ends
 */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { tryLockFile, type FileLock } from '../../machine/file-lock.js';
import { ifPresent, readJson, writeJson } from '../../files.js';
import { UserError } from '../../user-error.js';
import { useCached, type TemporalCli } from './temporal-cli.js';

const madeBySchema = z.object({ v: z.literal(1), cli: z.string(), server: z.string(), at: z.string() });
const runningSchema = z.object({ v: z.literal(1), pid: z.int(), address: z.string(), uiUrl: z.string() });

/** A running embedded server. */
export type RunningServer = Omit<z.infer<typeof runningSchema>, 'v'>;

export interface DataDirectory {
  path: string;
  databaseFile: string;
  logFile: string;
  lock: FileLock;
}

// The kernel takes a moment to end a server whose owner was killed.
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Creates the directory if needed and takes its lock. Release the lock once the server has inherited it.
 * @throws UserError when another server uses the directory, or it cannot be created
 */
export async function openDataDirectory(dataDir: string): Promise<DataDirectory> {
  const path = resolve(dataDir);
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new UserError(`cannot create the server's data directory: ${(error as Error).message}`, {
      cause: error,
    });
  });
  const lock = await takeLock(path);
  return { path, databaseFile: join(path, 'temporal.db'), logFile: join(path, 'temporal.log'), lock };
}

/** The server running on a data directory, undefined when there is none. */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const running = await readNote(join(dataDir, 'running.json'), runningSchema);
  if (!running) return undefined;
  const lock = await tryLockFile(join(dataDir, 'lock'));
  if (lock) {
    await lock.release();
    return undefined;
  }
  const { pid, address, uiUrl } = running;
  return { pid, address, uiUrl };
}

/** Records the server of a directory, for {@link findRunningServer}. */
export const noteRunning = (directory: DataDirectory, running: RunningServer): Promise<void> =>
  writeJson(join(directory.path, 'running.json'), { v: 1, ...running });

/**
 * Chooses the CLI for a directory. The CLI does not guarantee that its database files survive an upgrade, so a
 * directory with state keeps the version that created it, if that is still in the cache.
 *
 * @param log called when another CLI than `cli` is used, or should be
 */
export async function chooseCli(
  directory: DataDirectory,
  cli: TemporalCli,
  log: (text: string) => void,
): Promise<TemporalCli> {
  const note = join(directory.path, 'server.json');
  if (!(await ifPresent(stat(directory.databaseFile)))) {
    await writeJson(note, { v: 1, cli: cli.version, server: cli.server, at: new Date().toISOString() });
    return cli;
  }
  const creator = await readNote(note, madeBySchema);
  if (creator?.cli === cli.version && creator.server === cli.server) return cli;
  const same = creator && (await useCached(creator.cli));
  if (same) {
    log(
      `${directory.path} was created by Temporal CLI ${same.version}, which is used instead of ${cli.version}`,
    );
    return same;
  }
  const creatorName = creator
    ? `Temporal CLI ${creator.cli} (server ${creator.server})`
    : 'an unknown Temporal CLI';
  log(
    `warning: ${directory.path} was created by ${creatorName}, which is not in the cache; ${cli.version} (server ${cli.server}) is ` +
      'used. If the server does not start, install the former version and set TEMPORAL_CLI to its path.',
  );
  return cli;
}

async function takeLock(path: string): Promise<FileLock> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const lock = await tryLockFile(join(path, 'lock'));
    if (lock) return lock;
    if (Date.now() > deadline) break;
    await sleep(100);
  }
  const who = await findRunningServer(path);
  const named = who ? ` (process ${who.pid}, ${who.address})` : '';
  throw new UserError(`another Temporal server${named} uses the data directory ${path}`, {
    hint: 'use that server, stop it, or choose another directory',
  });
}

/** A damaged file counts as missing: it must not prevent the server from starting. */
async function readNote<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const note = await readJson(path).catch(() => undefined);
  return schema.safeParse(note).data;
}
