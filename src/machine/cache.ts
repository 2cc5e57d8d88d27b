/**
 * The per-user cache of artifacts that are expensive to get and the same for every clone: the Temporal CLI,
 * engine builds, proof parameters. It is outside of any clone and may be deleted at any time.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { lockFile } from './file-lock.js';
import { UserError } from '../user-error.js';

/** `SEALFLOW_CACHE`, or `$XDG_CACHE_HOME/sealflow`, or `~/.cache/sealflow`; it need not exist. */
export function cacheDirectory(): string {
  const configured = process.env['SEALFLOW_CACHE'];
  if (configured) return resolve(configured);
  // The XDG specification requires relative paths to be ignored.
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'sealflow') : join(homedir(), '.cache', 'sealflow');
}

/** Where {@link makeOnce} puts `key`. */
export const cachePath = (key: string): string => join(cacheDirectory(), key);

export interface MakeOnceOptions {
  /** Called once if another process is building the same key. */
  onWait?: (() => void) | undefined;
  /** Stops waiting for that process. */
  signal?: AbortSignal | undefined;
}

/**
 * The directory `<cache>/<key>`, created by `build` if it does not exist.
 *
 * If several processes need it at the same time, one builds and the others wait; if it fails or dies, the next
 * one builds. `build` gets an empty directory, which is renamed to its final name only after `build` has
 * succeeded.
 *
 * @param key relative path that identifies the content completely, for example `temporal-cli/1.8.2-linux-x64`
 * @throws what `build` throws; UserError when the cache directory cannot be written
 */
export async function makeOnce(
  key: string,
  build: (directory: string) => Promise<void>,
  { onWait, signal }: MakeOnceOptions = {},
): Promise<string> {
  const target = cachePath(key);
  if (await exists(target)) return target;
  const locks = cachePath('.locks');
  await makeWritable(dirname(target));
  await makeWritable(locks);
  const lock = await lockFile(join(locks, key.replaceAll('/', '_')), { onWait, signal });
  try {
    if (await exists(target)) return target;
    const temporary = `${dirname(target)}/.${basename(target)}.new-`;
    await removeLeftovers(temporary);
    const directory = await mkdtemp(temporary);
    try {
      await build(directory);
      await rename(directory, target);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return target;
  } finally {
    await lock.release();
  }
}

/** Removes directories of builders that died. Safe because the lock holder is the only builder. */
async function removeLeftovers(prefix: string): Promise<void> {
  const parent = dirname(prefix);
  const left = (await readdir(parent)).filter((name) => name.startsWith(basename(prefix)));
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot create the cache directory ${directory}: ${(error as Error).message}`, {
      hint: 'set SEALFLOW_CACHE to a directory that you may write to',
      cause: error,
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
