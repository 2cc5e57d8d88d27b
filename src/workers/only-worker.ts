/**
 * Allows only one worker per phase on a host: two workers with the same config would each fill `num` slots and
 * overload the host. Workers with the same `ip` and `local_dir` may run side by side if they share no phase of
 * a sector size.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.js';
import { cachePath } from '../machine/cache.js';
import { lockFile, tryLockFile, type FileLock } from '../machine/file-lock.js';
import { realpath } from '../mounts/remote-fs.js';
import type { Log } from '../telemetry.js';
import { UserError } from '../user-error.js';

/** In ms: a worker that is being stopped may take this long to exit. */
const GRACE_MS = 2_000;

/**
 * Referenced for the life of this process: a file handle that is garbage-collected is closed, which drops its
 * lock.
 */
const held: FileLock[] = [];

/**
 * Locks the phases of a config for this process until it exits, however it exits.
 *
 * The locks are in the user's cache, which belongs to the host or is shared by its containers. They are not on
 * local_dir, because a hung mount would then keep the worker from starting.
 *
 * @returns a function that releases them early (tests)
 * @throws UserError (exit 1) when another live worker holds one of them
 */
export async function lockPhases(config: Config, log: Log, graceMs = GRACE_MS): Promise<() => Promise<void>> {
  const directory = cachePath('.locks');
  const key = await keyOf(config);
  // Every worker locks in the same order, so that of two that start at the same time one gets all.
  const phases = [...new Set(config.pools.flatMap((pool) => pool.phases))].sort();
  const locks: FileLock[] = [];
  const release = async (): Promise<void> => {
    for (const lock of locks) await lock.release();
  };
  try {
    await mkdir(directory, { recursive: true });
    for (const phase of phases) {
      const path = join(directory, `worker-${key}-${phase}`);
      const lock = await lockWithin(path, graceMs);
      if (!lock) throw await takenError(config, phase, path);
      locks.push(lock);
      await writeFile(path, `${process.pid}\n`);
    }
  } catch (error) {
    await release();
    if (error instanceof UserError) throw error;
    // Sealing must not depend on a writable cache.
    log.warn(
      `cannot check whether another worker of this host serves the same phases: ${(error as Error).message}`,
    );
    return () => Promise.resolve();
  }
  held.push(...locks);
  return release;
}

/**
 * Whether the worker of a config was killed or has crashed: the server counts such a one as alive for two minutes. False when it
 * cannot be told: it runs on another machine, or as another user.
 * @param pid of the worker, as the server knows it
 */
export async function hasEnded(config: Identified, pid: number): Promise<boolean> {
  const [phase] = config.pools.flatMap((pool) => pool.phases).sort();
  try {
    const path = join(cachePath('.locks'), `worker-${await keyOf(config)}-${phase}`);
    if ((await readFile(path, 'utf8')).trim() !== String(pid)) return false;
    const lock = await tryLockFile(path);
    await lock?.release();
    return lock !== undefined;
  } catch {
    return false;
  }
}

type Identified = Pick<Config, 'ip' | 'localDir' | 'size' | 'pools'>;

async function keyOf({ ip, localDir, size }: Identified): Promise<string> {
  // If it cannot be resolved at the moment, use the configured path.
  const directory = await realpath(localDir).catch(() => resolve(localDir));
  return createHash('sha256')
    .update(JSON.stringify([ip, directory, size]))
    .digest('hex')
    .slice(0, 32);
}

/** @returns undefined when another process still holds the lock after `ms` */
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
  return new UserError(`process ${pid} already serves ${phase} on ${ip} for ${localDir}`, {
    exitCode: 1,
    hint: 'stop that worker first, or let each config.toml of this host serve different phases',
  });
}
