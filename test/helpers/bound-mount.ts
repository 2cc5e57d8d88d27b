/** A mount that can vanish and come back: a directory of this machine bound elsewhere. */
import { mkdir, rename } from 'node:fs/promises';
import { run, runs } from './commands.js';
import type { Group } from './group.js';

export class BoundMount {
  private constructor(
    private readonly source: string,
    readonly path: string,
  ) {}

  /** Replaces a directory of the group by a mount, with all that is in it; it ends with the group. */
  static async replace(group: Group, path: string): Promise<BoundMount> {
    const mount = new BoundMount(`${path}.disk`, path);
    await rename(path, mount.source);
    await mkdir(path);
    group.onEnd(() => mount.vanish());
    await mount.comeBack();
    return mount;
  }

  /** Gone for everybody who asks for it by name; who is in it already stays in it. */
  async vanish(): Promise<void> {
    if (await runs('mountpoint', '-q', this.path)) await run('umount', '--lazy', this.path);
  }

  async comeBack(): Promise<void> {
    await run('mount', '--bind', this.source, this.path);
  }
}
