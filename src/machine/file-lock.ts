import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { spawnBound } from './bound-process.js';
import { requireTool } from './tools.js';

export interface FileLock {
  /** The locked file descriptor. A child that inherits it holds the lock too, until it exits. */
  readonly fd: number;
  /** Closes our descriptor; the lock is released unless a child still holds it. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** Called once if another process holds the lock. */
  onWait?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Waits for the exclusive lock of a file, which is created if needed and never deleted.
 *
 * It is a kernel lock (`flock`): released when the last process that holds it exits, however it exits. It also
 * works between containers that share the directory, where a PID file is meaningless.
 */
export async function lockFile(path: string, { onWait, signal }: LockOptions = {}): Promise<FileLock> {
  const lock = await tryLockFile(path);
  if (lock) return lock;
  onWait?.();
  const waited = await acquire(path, ['-x'], signal);
  if (!waited) throw new Error(`cannot lock ${path}`);
  return waited;
}

/** @returns undefined when another process holds the lock */
export async function tryLockFile(path: string): Promise<FileLock | undefined> {
  return acquire(path, ['-x', '-n']);
}

async function acquire(
  path: string,
  flags: readonly string[],
  signal?: AbortSignal,
): Promise<FileLock | undefined> {
  signal?.throwIfAborted();
  const flock = requireTool('flock', 'install util-linux (apt-get install util-linux)');
  const handle = await open(path, 'a');
  try {
    // The lock belongs to the open file description, which the child shares: it locks and exits, and we still
    // hold it.
    const child = spawnBound(flock, [...flags, '3'], { stdio: ['ignore', 'ignore', 'ignore', handle.fd] });
    const onAbort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort);
    const [code] = (await once(child, 'exit').finally(() =>
      signal?.removeEventListener('abort', onAbort),
    )) as [number | null];
    signal?.throwIfAborted();
    if (code === 0) return { fd: handle.fd, release: () => handle.close() };
    if (code !== 1) throw new Error(`flock failed on ${path} (exit code ${code})`);
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}
