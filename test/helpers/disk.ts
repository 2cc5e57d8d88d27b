/** A disk of a few megabytes: an ext4 file system in a file, mounted, which a test can fill and make room on. */
import { open, rm, stat, statfs, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../src/files.js';
import { run, runs } from './commands.js';
import { eventually } from './eventually.js';
import type { Group } from './group.js';

const BALLAST = 'ballast';
const CHUNK = Buffer.alloc(1 << 20);

export class Disk {
  private constructor(
    private readonly image: string,
    readonly path: string,
  ) {}

  /** Makes a disk and mounts it over a directory of the group; it ends with the group. */
  static async mount(group: Group, path: string, megabytes: number): Promise<Disk> {
    const disk = new Disk(`${path}.img`, path);
    const file = await open(disk.image, 'wx');
    await file.close();
    await truncate(disk.image, megabytes * 2 ** 20);
    // No blocks kept back for root, whom the tests run as; no lost+found, which would be strange in a storage node.
    await run('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', disk.image);
    group.onEnd(() => disk.end());
    await run('mount', '-o', 'loop', disk.image, path);
    await rm(join(path, 'lost+found'), { recursive: true });
    return disk;
  }

  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  /** Fills it up to `leaving` bytes. */
  async fill(leaving = 0): Promise<void> {
    const ballast = join(this.path, BALLAST);
    const file = await open(ballast, 'a');
    try {
      for (;;) {
        const wanted = (await this.free()) - leaving;
        if (wanted <= 0) break;
        await file.write(CHUNK, 0, Math.min(wanted, CHUNK.length));
      }
    } catch (error) {
      if (!isErrno(error, 'ENOSPC')) throw error;
    } finally {
      await file.sync();
      await file.close();
    }
    // What the file system itself took for the ballast is given back.
    const excess = leaving - (await this.free());
    if (excess > 0) await truncate(ballast, Math.max(0, (await stat(ballast)).size - excess));
  }

  makeRoom = (): Promise<void> => rm(join(this.path, BALLAST));

  private async end(): Promise<void> {
    // The last process that had a file open there may take a moment to be gone.
    if (await runs('mountpoint', '-q', this.path)) await eventually(() => runs('umount', this.path));
    await rm(this.image);
  }
}
