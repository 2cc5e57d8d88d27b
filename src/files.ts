/** Files: JSON that decides something (temporary name, fsync, rename), and what directories hold. */
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import {
  lstat,
  readdir,
  readFile,
  rename,
  rm,
  statfs,
  syncDirectory,
  writeNewFile,
} from './mounts/remote-fs.js';

export { syncDirectory };

/**
 * Errors of Linux that libuv has no name for, by number. Node reports them as code `Unknown system error -122` (tried: 122 of
 * a quota, 116 of an NFS server). The words are Linux's own.
 */
const UNNAMED: Record<string, { number: number; words: string }> = {
  ENOLINK: { number: 67, words: 'link has been severed' },
  EUCLEAN: { number: 117, words: 'structure needs cleaning' },
  EREMOTEIO: { number: 121, words: 'remote I/O error' },
  EDQUOT: { number: 122, words: 'disk quota exceeded' },
  ENOMEDIUM: { number: 123, words: 'no medium found' },
  ESTALE: { number: 116, words: 'stale file handle' },
};

/** Whether it is one of these errors, by name or, where libuv has none, by number. */
export const isErrno = (error: unknown, ...codes: string[]): boolean => {
  if (!(error instanceof Error)) return false;
  const { code = '', errno } = error as NodeJS.ErrnoException;
  return codes.some((name) => name === code || (errno !== undefined && UNNAMED[name]?.number === -errno));
};

/** An error's message, in words also where libuv has none: `EDQUOT: disk quota exceeded, write`. */
export function messageOf(error: Error): string {
  for (const [name, { number, words }] of Object.entries(UNNAMED)) {
    const unknown = `Unknown system error -${number}`;
    if (!isErrno(error, name) || !error.message.includes(unknown)) continue;
    return error.message
      .replace(`${unknown}: ${unknown}`, `${name}: ${words}`)
      .replaceAll(unknown, `${name} (${words})`);
  }
  return error.message;
}

/** `undefined` where there is no such file or directory; any other error is thrown. */
export async function ifPresent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether something has this name, if only a dangling link. */
export const exists = async (path: string): Promise<boolean> => (await ifPresent(lstat(path))) !== undefined;

/**
 * Writes `value` so that a reader sees the old file or the whole new one, also after a power cut.
 * @param mayGo asked when all is written, right before it gets its name; what it throws leaves the old file
 */
export async function writeJson(
  path: string,
  value: unknown,
  mayGo: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeNewFile(temporary, `${JSON.stringify(value, null, 2)}\n`);
  try {
    await mayGo();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * @returns undefined when the file is not there.
 * @throws SyntaxError naming the file when it is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await ifPresent(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SyntaxError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Bytes on disk below a directory, each inode once: attempts share layers by hard links. */
export async function usedBytes(directory: string, seen = new Set<number>()): Promise<number> {
  let used = 0;
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    const path = join(directory, name);
    const stat = await ifPresent(lstat(path));
    if (!stat || seen.has(stat.ino)) continue;
    seen.add(stat.ino);
    used += stat.isDirectory() ? await usedBytes(path, seen) : stat.blocks * 512;
  }
  return used;
}

/** What a few small files need: without it a program cannot even record why it ends. */
const SMALL_FILES_BYTES = 65_536;

/** Whether the file system of a directory has no room left. */
export async function isFull(directory: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize < SMALL_FILES_BYTES;
}
