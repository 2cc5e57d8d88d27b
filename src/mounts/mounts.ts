/**
 * Directories that may be mounted from elsewhere. A call on a mount that hangs (its server is gone) comes back when the
 * mount does, perhaps never, and holds one of Node's few file-system threads until then; so each mount gets no more than
 * two: one for looks, one for what may take minutes.
 */
import { statfs } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { SerialQueue, type CallContext } from './serial-queue.js';

export interface MountTimes {
  /** A quick call (a look, a rename) that has not come back after this long, in ms, is hung. */
  quickMs: number;
  /** The same for a slow one (deleting 32 GiB, fsync). */
  slowMs: number;
}

/** A mount does not answer. Passes by itself when it answers again. */
export class MountHungError extends Error {
  override readonly name = 'MountHungError';

  constructor(
    /** The directory as config.toml has it. */
    readonly mount: string,
    readonly since: Date,
  ) {
    super(`${mount} is hung: no answer since ${since.toISOString()}`);
  }

  /** For people who see it pass: `/sealer hung for 40 s`. */
  get forHowLong(): string {
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
      looks: 2,
      // What looks cannot get through, deletions cannot either.
      onHung: () => [this.quick, this.slow].forEach((queue) => this.rejectPending(queue, this.quick)),
    });
    this.slow = new SerialQueue({
      everyMs: quickMs,
      looks: Math.max(2, Math.ceil(slowMs / quickMs)),
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

  /** Tells a slow call from a hung mount long before the slow call's own deadline. */
  private probe(): void {
    // Not stat(): an NFS client answers that from its memory.
    if (this.quick.isIdle) void this.quick.run(() => statfs(this.root)).catch(() => undefined);
  }
}

const mounts = new Map<string, Mount>();

/** From now on what lies below `root` is touched with care. Done again for the same directory it changes nothing. */
export function registerMount(root: string, times: MountTimes): void {
  const path = resolve(root);
  if (!mounts.has(path)) mounts.set(path, new Mount(path, times));
}

/**
 * Runs a call that holds at most one thread at a time, in its turn on the mount that `path` belongs to (the one with the
 * longest root); at once where that is none.
 * @throws what the call throws; MountHungError
 */
export function onMountOf<T>(path: string, pace: Pace, call: (turn: CallContext) => Promise<T>): Promise<T> {
  const mount = registeredMountOf(resolve(path));
  return mount ? mount.run(pace, call) : call({ abandoned: false });
}

/** Whether no call on a mount is outstanding; one that is hung would keep this process from ending. */
export const allMountsIdle = (): boolean => [...mounts.values()].every(({ isIdle }) => isIdle);

function registeredMountOf(path: string): Mount | undefined {
  let found = '';
  for (const root of mounts.keys()) {
    const below = root === sep || path === root || path.startsWith(root + sep);
    if (below && root.length > found.length) found = root;
  }
  return mounts.get(found);
}
