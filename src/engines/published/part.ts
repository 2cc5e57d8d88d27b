/** The part of a file that has been fetched so far, under a name of its own until it is whole and right. */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../files.js';

/** What stays when a fetch ends early: `<file>.part`. The next one goes on from its end. */
const partOf = (path: string): string => `${path}.part`;

/**
 * Bytes after which the content is made durable. Without it the kernel may hold tens of GB back until the end, and a
 * process that waits for them cannot be stopped.
 */
const SYNC_EVERY_BYTES = 256 << 20;

export class Part {
  private unsynced = 0;

  private constructor(
    private readonly target: string,
    private readonly handle: FileHandle,
    private bytes: number,
  ) {}

  /** Opens what an earlier fetch has left, or begins a new one. The caller holds the lock of the directory. */
  static async open(target: string): Promise<Part> {
    const handle = await open(partOf(target), 'a+');
    return new Part(target, handle, (await handle.stat()).size);
  }

  get path(): string {
    return partOf(this.target);
  }

  get length(): number {
    return this.bytes;
  }

  /** Drops everything after the first `bytes`. */
  async truncate(bytes: number): Promise<void> {
    await this.handle.truncate(bytes);
    this.bytes = bytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.handle.appendFile(chunk);
    this.bytes += chunk.length;
    this.unsynced += chunk.length;
    if (this.unsynced < SYNC_EVERY_BYTES) return;
    await this.handle.datasync();
    this.unsynced = 0;
  }

  /** Makes the content durable. */
  sync = (): Promise<void> => this.handle.sync();
  close = (): Promise<void> => this.handle.close();

  /** Deletes it: it is not what it should have become. */
  delete = (): Promise<void> => rm(this.path, { force: true });

  /** Gives it the file's name, which it replaces; durable when this returns. */
  async publish(): Promise<void> {
    await rename(this.path, this.target);
    await syncDirectory(dirname(this.target));
  }
}
