/**
 * The directory of an embedded server:
 *
 *     temporal.db    SQLite, all state
 *     temporal.log   what the server said
 *     server.json    the CLI's version that laid the database out
 *     running.json   who serves it; true only while `lock` is held
 *     lock           held by the server process itself, so that it ends with it
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

/** An embedded server that runs. */
export type RunningServer = Omit<z.infer<typeof runningSchema>, 'v'>;

export interface DataDirectory {
  path: string;
  databaseFile: string;
  logFile: string;
  lock: FileLock;
}

// The kernel takes a moment to end a server whose owner was killed.
const DYING_MS = 2_000;

/**
 * Makes the directory if needed and takes its lock. Release it when the server has inherited it.
 * @throws UserError when another server uses the directory, or it cannot be made
 */
export async function openDataDirectory(dataDir: string): Promise<DataDirectory> {
  const path = resolve(dataDir);
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new UserError(`cannot make the server's data directory: ${(error as Error).message}`, {
      cause: error,
    });
  });
  const lock = await takeLock(path);
  return { path, databaseFile: join(path, 'temporal.db'), logFile: join(path, 'temporal.log'), lock };
}

/** The server that runs on a data directory, undefined when there is none. */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const noted = await readNote(join(dataDir, 'running.json'), runningSchema);
  if (!noted) return undefined;
  const lock = await tryLockFile(join(dataDir, 'lock'));
  if (lock) {
    await lock.release();
    return undefined;
  }
  const { pid, address, uiUrl } = noted;
  return { pid, address, uiUrl };
}

/** Notes who serves the directory, for {@link findRunningServer}. */
export const noteRunning = (directory: DataDirectory, running: RunningServer): Promise<void> =>
  writeJson(join(directory.path, 'running.json'), { v: 1, ...running });

/**
 * The CLI that a directory is to be served by. Database files are not promised to survive an upgrade of the CLI, so one that
 * holds state stays with the version that made it, if that is still in the cache.
 *
 * @param log told when it is not the `cli` that was given, or should not be
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
  const madeBy = await readNote(note, madeBySchema);
  if (madeBy?.cli === cli.version && madeBy.server === cli.server) return cli;
  const same = madeBy && (await useCached(madeBy.cli));
  if (same) {
    log(
      `${directory.path} was made by Temporal CLI ${same.version}, which is used for it instead of ${cli.version}`,
    );
    return same;
  }
  const maker = madeBy ? `Temporal CLI ${madeBy.cli} (server ${madeBy.server})` : 'an unknown Temporal CLI';
  log(
    `warning: ${directory.path} was made by ${maker}, which is not here; ${cli.version} (server ${cli.server}) is ` +
      'used. If the server does not come up, get the former version and set TEMPORAL_CLI to its path.',
  );
  return cli;
}

async function takeLock(path: string): Promise<FileLock> {
  const deadline = Date.now() + DYING_MS;
  for (;;) {
    const lock = await tryLockFile(join(path, 'lock'));
    if (lock) return lock;
    if (Date.now() > deadline) break;
    await sleep(100);
  }
  const who = await findRunningServer(path);
  const named = who ? ` (process ${who.pid}, ${who.address})` : '';
  throw new UserError(`another Temporal server${named} uses the data directory ${path}`, {
    hint: 'use that server, stop it, or take another directory',
  });
}

/** A damaged note counts as none: it must not keep the server from starting. */
async function readNote<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const note = await readJson(path).catch(() => undefined);
  return schema.safeParse(note).data;
}
