/**
 * `node:fs/promises` for paths that may be on a mount: same names, same results and errors, and MountHungError when the
 * mount does not answer in time. What has timed out may still happen when the mount is back: whoever calls these must be
 * able to do its step again.
 */
import * as fs from 'node:fs/promises';
import type { Stats, StatsFs } from 'node:fs';
import { onMountOf } from './mounts.js';

export const lstat = (path: string): Promise<Stats> => onMountOf(path, 'quick', () => fs.lstat(path));
export const stat = (path: string): Promise<Stats> => onMountOf(path, 'quick', () => fs.stat(path));
/**
 * Device and inode, behind symbolic links. Paths that give the same lead to one file or directory, also through bind mounts. Not of
 * `stat`, whose numbers cannot hold all inodes.
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

/** For small files: a large one takes the mount for itself. */
export function readFile(path: string): Promise<Buffer>;
export function readFile(path: string, encoding: BufferEncoding): Promise<string>;
export function readFile(path: string, encoding?: BufferEncoding): Promise<Buffer | string> {
  return onMountOf(path, 'quick', () => fs.readFile(path, encoding));
}

/** One level only: a missing mount must not come into being as a plain directory. */
export const mkdir = (path: string): Promise<void> => onMountOf(path, 'quick', () => fs.mkdir(path));
export const rmdir = (path: string): Promise<void> => onMountOf(path, 'quick', () => fs.rmdir(path));
export const rename = (from: string, to: string): Promise<void> =>
  onMountOf(to, 'quick', () => fs.rename(from, to));
export const link = (existing: string, name: string): Promise<void> =>
  onMountOf(name, 'quick', () => fs.link(existing, name));

/** Makes a file that is not there; one that is there stays as it is. */
export const touch = (path: string): Promise<void> =>
  onMountOf(path, 'quick', async () => {
    const handle = await fs.open(path, 'a');
    await handle.close();
  });

// ---- what may take minutes and is no fault then ----

export const unlink = (path: string): Promise<void> => onMountOf(path, 'slow', () => fs.unlink(path));

/** Deletes a file; with `force` it need not be there. */
export const rm = (path: string, options: { force?: boolean } = {}): Promise<void> =>
  onMountOf(path, 'slow', () => fs.rm(path, options));

/** fsync of a directory: its names are safe. */
export const syncDirectory = (path: string): Promise<void> =>
  onMountOf(path, 'slow', async () => {
    const handle = await fs.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });

/** Makes a new file with this text and fsyncs it; leaves none behind when that fails. @throws EEXIST when it is there. */
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
      if (turn.abandoned) throw new Error(`nobody waits for ${path} any more`);
    } catch (error) {
      await fs.unlink(path).catch(() => undefined);
      throw error;
    }
  });

/** Parts of a file, one behind the other: fewer bytes than asked for where it ends before. A disk that sleeps takes its time. */
export const readPlaces = (path: string, offsets: readonly number[], length: number): Promise<Buffer> =>
  onMountOf(path, 'slow', async (turn) => {
    const handle = await fs.open(path, 'r');
    try {
      const parts = [];
      for (const offset of offsets) {
        if (turn.abandoned) throw new Error(`nobody waits for ${path} any more`);
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
        parts.push(buffer.subarray(0, bytesRead));
      }
      return Buffer.concat(parts);
    } finally {
      await handle.close();
    }
  });
