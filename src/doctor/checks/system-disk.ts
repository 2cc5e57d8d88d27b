/** Whether a directory lies on the disks that were meant for it, not on the system's own. */
import { physicalDisks, sharedWithSystem } from '../../mounts/disks.js';
import { isReadOnly, mountOf, readMountTable, type MountEntry } from '../../mounts/mount-table.js';
import { realpath } from '../../mounts/remote-fs.js';
import { fail, ok, skipped, type Verdict } from '../finding.js';

export interface Place {
  path: string;
  /** Undefined where the kernel does not tell (a chroot). */
  mount: MountEntry | undefined;
  /** Behind the mount; none for NFS. */
  disks: readonly string[];
  /** What it has in common with the operating system. */
  shared: string | undefined;
}

/** @throws ENOENT; MountHungError */
export async function placeOf(path: string): Promise<Place> {
  const real = await realpath(path);
  const table = await readMountTable();
  const mount = mountOf(real, table);
  const [disks, shared] = await Promise.all([
    mount ? physicalDisks(mount) : [],
    mount ? sharedWithSystem(mount, table) : undefined,
  ]);
  return { path, mount, disks, shared };
}

export function judgeSystemDisk({ path, mount, disks, shared }: Place, allowSystemDisk: boolean): Verdict {
  if (!mount) return skipped('the kernel does not tell this process what is mounted');
  const found = `${mount.source} on ${mount.mountPoint}`;
  if (mount.fsType === 'autofs') {
    return fail(found, 'what its automounter mounts', `ask the automounter for it: \`ls ${path}\``);
  }
  if (isReadOnly(mount)) {
    return fail(
      `${found}, read-only`,
      'a file system that can be written',
      `mount it with rw; \`dmesg\` tells whether the kernel has made it so after an error`,
    );
  }
  const behind = disks.length > 0 ? ` (${disks.join(' ')})` : '';
  if (shared === undefined) return ok(`${found}${behind}`);
  if (allowSystemDisk) return ok(`${found}${behind}, ${shared}: allowed`);
  return fail(
    `${path} lies on ${shared} (${found})`,
    'disks of its own: sectors would fill those of the system, and wait for them',
    `mount the data disks on ${path} (\`lsblk\`, \`df -h\`); allow_system_disk = true if it is meant so`,
  );
}
