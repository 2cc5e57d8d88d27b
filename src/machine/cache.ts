/**
 * What is costly to get and the same for every clone: the Temporal CLI, engine builds, proof parameters. It lies in one
 * directory of the user, outside of any clone, and may be deleted at any time.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { lockFile } from './file-lock.js';
import { UserError } from '../user-error.js';

/** `SEALFLOW_CACHE`, else `$XDG_CACHE_HOME/sealflow`, else `~/.cache/sealflow`; it need not exist. */
export function cacheDirectory(): string {
  const given = process.env['SEALFLOW_CACHE'];
  if (given) return resolve(given);
  // The XDG specification has relative paths ignored.
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'sealflow') : join(homedir(), '.cache', 'sealflow');
}

/** Where {@link makeOnce} puts `key`. */
export const cachePath = (key: string): string => join(cacheDirectory(), key);

export interface MakeOnceOptions {
  /** Called once when another process is making the same. */
  onWait?: (() => void) | undefined;
  /** Ends the waiting for that other process. */
  signal?: AbortSignal | undefined;
}

/**
 * The directory `<cache>/<key>`, made by `build` if it is not there.
 *
 * Of several processes that ask at once one builds and the others wait; when the one fails or dies, the next one builds.
 * `build` gets an empty directory, which gets its final name only when `build` has succeeded.
 *
 * @param key relative path that names the content fully, for example `temporal-cli/1.8.2-linux-x64`
 * @throws what `build` throws; UserError when the cache directory cannot be written
 */
export async function makeOnce(
  key: string,
  build: (directory: string) => Promise<void>,
  { onWait, signal }: MakeOnceOptions = {},
): Promise<string> {
  const made = cachePath(key);
  if (await exists(made)) return made;
  const locks = cachePath('.locks');
  await makeWritable(dirname(made));
  await makeWritable(locks);
  const lock = await lockFile(join(locks, key.replaceAll('/', '_')), { onWait, signal });
  try {
    if (await exists(made)) return made;
    const temporary = `${dirname(made)}/.${basename(made)}.new-`;
    await removeLeftovers(temporary);
    const directory = await mkdtemp(temporary);
    try {
      await build(directory);
      await rename(directory, made);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return made;
  } finally {
    await lock.release();
  }
}

/** Whoever holds the lock is the only builder: all others' directories are of the dead. */
async function removeLeftovers(prefix: string): Promise<void> {
  const parent = dirname(prefix);
  const left = (await readdir(parent)).filter((name) => name.startsWith(basename(prefix)));
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot make the cache directory ${directory}: ${(error as Error).message}`, {
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
