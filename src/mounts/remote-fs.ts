/**
 * `node:fs/promises` for paths that may be on a network mount: same names, results and errors, plus
 * MountHungError when the mount does not answer in time. A call that timed out may still take effect once the
 * mount is back, so callers must be able to retry their step.
 */
import * as fs from 'node:fs/promises';
import { constants, type Stats, type StatsFs } from 'node:fs';
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

/** Creates a file with this content and fsyncs it; removes it if that fails. @throws EEXIST when it exists */
export const writeNewFile = (path: string, content: string | Uint8Array): Promise<void> =>
  onMountOf(path, 'slow', async (turn) => {
    const handle = await fs.open(path, 'wx', 0o644);
    try {
      try {
        await handle.writeFile(content);
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

/** The two ends of a file, which meet where it is short. */
export interface Ends {
  head: Buffer;
  tail: Buffer;
  /** Bytes between them. */
  leftOut: number;
}

/** Where another program may have put anything under the name: no link is followed, and no pipe waited for. */
const AS_PLAIN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads the first and the last `most` bytes of a plain file.
 * @returns undefined when it is something else
 */
export const readEnds = (path: string, most: number): Promise<Ends | undefined> =>
  onMountOf(path, 'slow', async () => {
    // Before it is opened: that alone does something to some devices.
    if (!(await fs.lstat(path)).isFile()) return undefined;
    const handle = await fs.open(path, AS_PLAIN_FILE);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return undefined;
      const read = async (length: number, position: number): Promise<Buffer> => {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
        return buffer.subarray(0, bytesRead);
      };
      const head = await read(Math.min(stat.size, most), 0);
      const tail = Math.min(stat.size - head.length, most);
      const leftOut = stat.size - head.length - tail;
      return { head, tail: await read(tail, stat.size - tail), leftOut };
    } finally {
      await handle.close();
    }
  });
