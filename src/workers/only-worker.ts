/**
 * One worker of a host for each phase: of two with the same config each would fill `num` slots, and the host would run twice what it
 * can hold. Workers of one `ip` and `local_dir` that share no phase of a size may run side by side.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.js';
import { cachePath } from '../machine/cache.js';
import { lockFile, type FileLock } from '../machine/file-lock.js';
import { realpath } from '../mounts/remote-fs.js';
import type { Log } from '../telemetry.js';
import { UserError } from '../user-error.js';

/** In ms: a worker that was just ended may take so long to be gone. */
const GRACE_MS = 2_000;

/** For the life of this process: a handle that nobody refers to is closed, and its lock with it. */
const held: FileLock[] = [];

/**
 * Takes the phases of a config for this process, until it ends, however it ends.
 *
 * The locks lie in the user's cache, which is the host's own or shared by its containers, and not on local_dir: a mount that hangs
 * would keep the worker from starting.
 *
 * @returns what gives them back before the end (tests)
 * @throws UserError (exit 1) when a worker that lives has one of them
 */
export async function lockPhases(config: Config, log: Log, graceMs = GRACE_MS): Promise<() => Promise<void>> {
  const directory = cachePath('.locks');
  const key = await keyOf(config);
  // All take them in the same order, so that of two that start at once one has them all.
  const phases = [...new Set(config.pools.flatMap((pool) => pool.phases))].sort();
  const mine: FileLock[] = [];
  const release = async (): Promise<void> => {
    for (const lock of mine) await lock.release();
  };
  try {
    await mkdir(directory, { recursive: true });
    for (const phase of phases) {
      const path = join(directory, `worker-${key}-${phase}`);
      const lock = await lockWithin(path, graceMs);
      if (!lock) throw await takenError(config, phase, path);
      mine.push(lock);
      await writeFile(path, `${process.pid}\n`);
    }
  } catch (error) {
    await release();
    if (error instanceof UserError) throw error;
    // A cache that cannot be written keeps nobody from sealing.
    log.warn(
      `whether another worker of this host serves the same cannot be told: ${(error as Error).message}`,
    );
    return () => Promise.resolve();
  }
  held.push(...mine);
  return release;
}

async function keyOf({ ip, localDir, size }: Config): Promise<string> {
  // One that cannot be seen at the moment goes by its name.
  const directory = await realpath(localDir).catch(() => resolve(localDir));
  return createHash('sha256')
    .update(JSON.stringify([ip, directory, size]))
    .digest('hex')
    .slice(0, 32);
}

/** @returns undefined when somebody else keeps the lock */
async function lockWithin(path: string, ms: number): Promise<FileLock | undefined> {
  const signal = AbortSignal.timeout(ms);
  try {
    return await lockFile(path, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function takenError({ ip, localDir }: Config, phase: string, path: string): Promise<UserError> {
  const pid = (await readFile(path, 'utf8').catch(() => '')).trim() || 'unknown';
  return new UserError(`process ${pid} serves ${phase} on ${ip} for ${localDir} already`, {
    exitCode: 1,
    hint: 'end that worker first, or have each config.toml of this host serve other phases',
  });
}
