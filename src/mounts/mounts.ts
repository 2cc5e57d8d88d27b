/**
 * Limits the damage of hung network mounts. A call on a hung mount (its server is gone) returns when the server
 * is back, perhaps never, and blocks one of Node's few file-system threads until then. So each mount gets at
 * most two threads: one for quick calls, one for calls that may take minutes.
 */
import { statfs } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { SerialQueue, type CallContext } from './serial-queue.js';

export interface MountTimes {
  /** A quick call (stat, rename) that has not returned after this long, in ms, counts as hung. */
  quickMs: number;
  /** The same for a slow one (deleting 32 GiB, fsync). */
  slowMs: number;
}

/** A mount does not answer. Resolves itself once the mount answers again. */
export class MountHungError extends Error {
  override readonly name = 'MountHungError';

  constructor(
    /** The directory as written in config.toml. */
    readonly mount: string,
    readonly since: Date,
  ) {
    super(`${mount} is hung: no answer since ${since.toISOString()}`);
  }

  /** How long it has been hung by now, for progress messages: `/sealer hung for 40 s`. */
  get progress(): string {
    return `${this.mount} hung for ${Math.max(0, Math.round((Date.now() - this.since.getTime()) / 1000))} s`;
  }
}

export type Pace = 'quick' | 'slow';

class Mount {
  private readonly quick: SerialQueue;
  private readonly slow: SerialQueue;

  constructor(
    private readonly root: string,
    { quickMs, slowMs }: MountTimes,
  ) {
    this.quick = new SerialQueue({
      everyMs: quickMs / 2,
      maxChecks: 2,
      // If quick calls hang, slow ones do too.
      onHung: () => [this.quick, this.slow].forEach((queue) => this.rejectPending(queue, this.quick)),
    });
    this.slow = new SerialQueue({
      everyMs: quickMs,
      maxChecks: Math.max(2, Math.ceil(slowMs / quickMs)),
      onInspected: () => this.probe(),
      onHung: () => this.rejectPending(this.slow, this.slow),
    });
  }

  /** @throws MountHungError at once while an earlier call is past its deadline */
  run<T>(pace: Pace, call: (turn: CallContext) => Promise<T>): Promise<T> {
    const since = this.quick.hungSince ?? (pace === 'slow' ? this.slow.hungSince : undefined);
    if (since !== undefined) return Promise.reject(new MountHungError(this.root, new Date(since)));
    return this[pace].run(call);
  }

  get isIdle(): boolean {
    return this.quick.isIdle && this.slow.isIdle;
  }

  private rejectPending(queue: SerialQueue, hung: SerialQueue): void {
    queue.rejectPending(new MountHungError(this.root, new Date(hung.hungSince ?? Date.now())));
  }

  /** Detects that the mount hangs while a slow call runs, long before that call's own deadline. */
  private probe(): void {
    // Not stat(): an NFS client answers that from its cache.
    if (this.quick.isIdle) void this.quick.run(() => statfs(this.root)).catch(() => undefined);
  }
}

const mounts = new Map<string, Mount>();

/** From now on calls on paths below `root` have deadlines. No effect if the directory is registered already. */
export function registerMount(root: string, times: MountTimes): void {
  const path = resolve(root);
  if (!mounts.has(path)) mounts.set(path, new Mount(path, times));
}

/**
 * Runs a call in the queue of the mount that `path` belongs to (the one with the longest root), or at once if
 * it belongs to none.
 * @param call must use at most one thread at a time
 * @throws what the call throws, with the path in its message; MountHungError
 */
export async function onMountOf<T>(
  path: string,
  pace: Pace,
  call: (turn: CallContext) => Promise<T>,
): Promise<T> {
  const mount = registeredMountOf(resolve(path));
  try {
    return await (mount ? mount.run(pace, call) : call({ abandoned: false }));
  } catch (error) {
    throw namingPath(error, path);
  }
}

/** Node names no path in errors of calls on an open file: `EIO: i/o error, read` of what? */
function namingPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || 'path' in error) return error;
  error.message += ` '${path}'`;
  return Object.assign(error, { path });
}

/** Whether no call on any mount is outstanding. A hung call would keep this process from exiting. */
export const allMountsIdle = (): boolean => [...mounts.values()].every(({ isIdle }) => isIdle);

function registeredMountOf(path: string): Mount | undefined {
  let found = '';
  for (const root of mounts.keys()) {
    const below = root === sep || path === root || path.startsWith(root + sep);
    if (below && root.length > found.length) found = root;
  }
  return mounts.get(found);
}
