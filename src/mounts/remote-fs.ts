/**
 * `node:fs/promises` for paths that may be on a network mount: same names, results and errors, plus
 * MountHungError when the mount does not answer in time. A call that timed out may still take effect once the
 * mount is back, so callers must be able to retry their step.
 */
import * as fs from 'node:fs/promises';
import type { Stats, StatsFs } from 'node:fs';
import { onMountOf } from './mounts.js';

export const lstat = (path: string): Promise<Stats> => onMountOf(path, 'quick', () => fs.lstat(path));
export const stat = (path: string): Promise<Stats> => onMountOf(path, 'quick', () => fs.stat(path));
/**
 * Device and inode, with symbolic links resolved. Paths with the same identity are the same file or directory,
 * also through bind mounts. Uses bigint, because a number cannot represent all inodes.
 */
export const identity = (path: string): Promise<string> =>
  onMountOf(path, 'quick', async () => {
    const { dev, ino } = await fs.stat(path, { bigint: true });
    return `${dev}:${ino}`;
  });
export const statfs = (path: string): Promise<StatsFs> => onMountOf(path, 'quick', () => fs.statfs(path));
export const readdir = (path: string): Promise<string[]> => onMountOf(path, 'quick', () => fs.readdir(path));
export const realpath = (path: string): Promise<string> => onMountOf(path, 'quick', () => fs.realpath(path));
export const access = (path: string, mode?: number): Promise<void> =>
  onMountOf(path, 'quick', () => fs.access(path, mode));

/** For small files: a large one would block all other quick calls on the mount. */
export function readFile(path: string): Promise<Buffer>;
export function readFile(path: string, encoding: BufferEncoding): Promise<string>;
export function readFile(path: string, encoding?: BufferEncoding): Promise<Buffer | string> {
  return onMountOf(path, 'quick', () => fs.readFile(path, encoding));
}

/** Not recursive: a missing mount point must not be created as a plain directory. */
export const mkdir = (path: string): Promise<void> => onMountOf(path, 'quick', () => fs.mkdir(path));
export const rmdir = (path: string): Promise<void> => onMountOf(path, 'quick', () => fs.rmdir(path));
export const rename = (from: string, to: string): Promise<void> =>
  onMountOf(to, 'quick', () => fs.rename(from, to));
export const link = (existing: string, name: string): Promise<void> =>
  onMountOf(name, 'quick', () => fs.link(existing, name));

/** Creates an empty file; leaves an existing one unchanged. */
export const touch = (path: string): Promise<void> =>
  onMountOf(path, 'quick', async () => {
    const handle = await fs.open(path, 'a');
    await handle.close();
  });

// ---- Slow calls: these may legitimately take minutes. ----

export const unlink = (path: string): Promise<void> => onMountOf(path, 'slow', () => fs.unlink(path));

/** Deletes a file; with `force` it need not exist. */
export const rm = (path: string, options: { force?: boolean } = {}): Promise<void> =>
  onMountOf(path, 'slow', () => fs.rm(path, options));

/** fsync of a directory: makes its entries durable. */
export const syncDirectory = (path: string): Promise<void> =>
  onMountOf(path, 'slow', async () => {
    const handle = await fs.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });

/** Creates a file with this text and fsyncs it; removes it if that fails. @throws EEXIST when it exists */
export const writeNewFile = (path: string, text: string): Promise<void> =>
  onMountOf(path, 'slow', async (turn) => {
    const handle = await fs.open(path, 'wx', 0o644);
    try {
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (turn.abandoned) throw new Error(`writing ${path} was abandoned`);
    } catch (error) {
      await fs.unlink(path).catch(() => undefined);
      throw error;
    }
  });

/**
 * Reads `length` bytes at each offset and concatenates them; returns fewer bytes where the file ends earlier. A
 * slow call, because the disk may have to spin up.
 */
export const readRanges = (path: string, offsets: readonly number[], length: number): Promise<Buffer> =>
  onMountOf(path, 'slow', async (turn) => {
    const handle = await fs.open(path, 'r');
    try {
      const chunks: Buffer[] = [];
      for (const offset of offsets) {
        if (turn.abandoned) throw new Error(`reading ${path} was abandoned`);
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
        chunks.push(buffer.subarray(0, bytesRead));
      }
      return Buffer.concat(chunks);
    } finally {
      await handle.close();
    }
  });
