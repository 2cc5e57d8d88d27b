/** Whether a directory is on its intended disks, not on the system disk. */
import { physicalDisks, sharedWithSystem } from '../../mounts/disks.js';
import { isReadOnly, mountOf, readMountTable, type MountEntry } from '../../mounts/mount-table.js';
import { realpath } from '../../mounts/remote-fs.js';
import { fail, ok, skipped, type Verdict } from '../finding.js';

export interface Place {
  path: string;
  /** Undefined if the kernel does not show it (in a chroot). */
  mount: MountEntry | undefined;
  /** Physical disks of the mount; none for NFS. */
  disks: readonly string[];
  /** What it shares with the operating system. */
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
  if (!mount) return skipped('the kernel does not show this process what is mounted');
  const found = `${mount.source} on ${mount.mountPoint}`;
  if (mount.fsType === 'autofs') {
    return fail(
      found,
      'the file system that its automounter mounts',
      `trigger the automounter: \`ls ${path}\``,
    );
  }
  if (isReadOnly(mount)) {
    return fail(
      `${found}, read-only`,
      'a writable file system',
      `mount it with rw; \`dmesg\` shows whether the kernel remounted it read-only after an error`,
    );
  }
  const behind = disks.length > 0 ? ` (${disks.join(' ')})` : '';
  if (shared === undefined) return ok(`${found}${behind}`);
  if (allowSystemDisk) return ok(`${found}${behind}, ${shared}: allowed`);
  return fail(
    `${path} is on ${shared} (${found})`,
    'its own disks: sectors would fill the system disk and compete for its I/O',
    `mount the data disks on ${path} (\`lsblk\`, \`df -h\`); set allow_system_disk = true if this is intended`,
  );
}
