import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { spawnBound } from './bound-process.js';
import { requireTool } from './tools.js';

export interface FileLock {
  /** The locked descriptor: a child that inherits it keeps the lock until it ends too. */
  readonly fd: number;
  /** Lets go of our share of the lock. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** Called once when somebody else has the lock. */
  onWait?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Waits for the exclusive lock of a file, which is made if needed and is never deleted.
 *
 * It is the kernel's lock (`flock`): gone with the last process that holds it, however that ends, and seen by containers
 * that share the directory, where a file with a pid in it means nothing.
 */
export async function lockFile(path: string, { onWait, signal }: LockOptions = {}): Promise<FileLock> {
  const lock = await tryLockFile(path);
  if (lock) return lock;
  onWait?.();
  const waited = await acquire(path, ['-x'], signal);
  if (!waited) throw new Error(`cannot lock ${path}`);
  return waited;
}

/** @returns undefined when somebody else has the lock */
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
    // The lock belongs to the open file, which the child shares with us: it locks, ends, and we go on holding.
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
