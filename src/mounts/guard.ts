/** Whether a directory may be used: mounted as it was at first, writable, and not on the system's own disk. */
import { constants } from 'node:fs';
import { sharedWithSystem } from './disks.js';
import { identityOf, isReadOnly, mountOf, readMountTable, type MountEntry } from './mount-table.js';
import { MountHungError } from './mounts.js';
import { access, realpath, statfs } from './remote-fs.js';

/** A directory must not be used as it is mounted now. Passes by itself when it is mounted rightly. */
export class MountWrongError extends Error {
  override readonly name = 'MountWrongError';
}

export interface GuardOptions {
  /** `allow_system_disk` of config.toml. */
  allowSystemDisk: boolean;
}

export class MountGuard {
  private first: MountEntry | undefined;

  constructor(
    readonly directory: string,
    private readonly options: GuardOptions,
  ) {}

  /**
   * To be called before anything is written there.
   * @throws MountWrongError; MountHungError
   */
  async check(): Promise<void> {
    const { directory } = this;
    const mount = await this.verifyMounted();
    if (mount && isReadOnly(mount)) throw new MountWrongError(`${directory} is mounted read-only`);
    await access(directory, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      if (error instanceof MountHungError) throw error;
      throw new MountWrongError(`${directory} cannot be written: ${(error as Error).message}`);
    });
  }

  /**
   * To be called before what is *not* found there means anything: the rightly mounted directory is there.
   * @returns its mount; undefined when the kernel tells this process nothing (a chroot)
   * @throws MountWrongError; MountHungError
   */
  async verifyMounted(): Promise<MountEntry | undefined> {
    const { directory, first } = this;
    const path = await realpath(directory).catch((error: unknown) => this.throwMissing(error));
    // Not stat(): only a call like this makes an automounter mount what has not been used for a while (tried with autofs).
    await statfs(path).catch((error: unknown) => this.throwMissing(error));
    const table = await readMountTable();
    const mount = mountOf(path, table);
    if (!mount) return undefined;
    if (mount.fsType === 'autofs')
      throw new MountWrongError(`${directory} is not mounted by its automounter`);
    if (first && identityOf(first) !== identityOf(mount)) {
      throw new MountWrongError(
        `${directory} is another file system than before: ${identityOf(mount)}, was ${identityOf(first)}`,
      );
    }
    if (!this.options.allowSystemDisk) await this.refuseSystemDisk(mount, table);
    return mount;
  }

  /** From now on only what is mounted there now is right. For directories that nothing else tells from others. */
  async pinIdentity(): Promise<void> {
    this.first ??= await this.verifyMounted();
  }

  private throwMissing(error: unknown): never {
    if (error instanceof MountHungError) throw error;
    throw new MountWrongError(`${this.directory} is not there: is it mounted?`);
  }

  private async refuseSystemDisk(mount: MountEntry, table: readonly MountEntry[]): Promise<void> {
    const shared = await sharedWithSystem(mount, table);
    if (shared === undefined) return;
    throw new MountWrongError(
      `${this.directory} is on ${shared}: is it mounted? (allow_system_disk = true allows it)`,
    );
  }
}
