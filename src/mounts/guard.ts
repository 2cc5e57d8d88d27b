/** Checks that a directory may be used: same mount as at first, writable, and not on the system disk. */
import { constants } from 'node:fs';
import { sharedWithSystem } from './disks.js';
import { identityOf, isReadOnly, mountOf, readMountTable, type MountEntry } from './mount-table.js';
import { MountHungError } from './mounts.js';
import { access, realpath, statfs } from './remote-fs.js';

/** A directory must not be used as it is mounted now. Resolves itself once it is mounted correctly. */
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
   * Call it before writing to the directory.
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
   * Call it before concluding anything from a *missing* file: verifies that the right directory is mounted.
   * @returns its mount; undefined if the kernel's mount table does not cover it (chroot)
   * @throws MountWrongError; MountHungError
   */
  async verifyMounted(): Promise<MountEntry | undefined> {
    const { directory, first } = this;
    const path = await realpath(directory).catch((error: unknown) => this.throwMissing(error));
    // Not stat(): only a call like statfs() triggers an automounter to mount an idle directory again (tested
    // with autofs).
    await statfs(path).catch((error: unknown) => this.throwMissing(error));
    const table = await readMountTable();
    const mount = mountOf(path, table);
    if (!mount) return undefined;
    if (mount.fsType === 'autofs')
      throw new MountWrongError(`${directory} is not mounted by its automounter`);
    if (first && identityOf(first) !== identityOf(mount)) {
      throw new MountWrongError(
        `${directory} is a different file system than before: ${identityOf(mount)}, was ${identityOf(first)}`,
      );
    }
    if (!this.options.allowSystemDisk) await this.refuseSystemDisk(mount, table);
    return mount;
  }

  /** From now on accepts only the current mount. For directories that have no marker to identify them. */
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
