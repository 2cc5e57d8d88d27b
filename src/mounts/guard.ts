/** Whether a directory may be written into: the file system that it was at first, writable, and not the system's own disk. */
import { constants } from 'node:fs';
import { physicalDisks, systemDisks } from './disks.js';
import { identityOf, isReadOnly, mountOf, readMountTable, type MountEntry } from './mount-table.js';
import { MountHungError } from './mounts.js';
import { access, realpath } from './remote-fs.js';

/** A directory must not be written into as it is mounted now. Passes by itself when it is mounted rightly. */
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
   * To be called before anything is written there. What it finds in order for the first time is what must be there ever after.
   * @throws MountWrongError; MountHungError
   */
  async check(): Promise<void> {
    const { directory } = this;
    const path = await realpath(directory).catch((error: unknown) => {
      if (error instanceof MountHungError) throw error;
      throw new MountWrongError(`${directory} is not there: is it mounted?`);
    });
    const table = await readMountTable();
    const mount = mountOf(path, table);
    // Without an entry the kernel tells this process nothing (a chroot): then nothing can be held against it.
    if (mount) await this.judge(mount, table);
    await access(directory, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      if (error instanceof MountHungError) throw error;
      throw new MountWrongError(`${directory} cannot be written: ${(error as Error).message}`);
    });
    this.first ??= mount;
  }

  private async judge(mount: MountEntry, table: readonly MountEntry[]): Promise<void> {
    const { directory, first } = this;
    if (first && identityOf(first) !== identityOf(mount)) {
      throw new MountWrongError(
        `${directory} is another file system than before: ${identityOf(mount)}, was ${identityOf(first)}`,
      );
    }
    if (isReadOnly(mount)) throw new MountWrongError(`${directory} is mounted read-only`);
    if (this.options.allowSystemDisk) return;
    const system = await systemDisks(table);
    const shared = (await physicalDisks(mount)).filter((disk) => system.includes(disk));
    if (shared.length > 0) {
      throw new MountWrongError(
        `${directory} is on the system disk ${shared.join(' ')}: is it mounted? (allow_system_disk = true allows it)`,
      );
    }
  }
}
