/** Whether a directory lies on the disks that were meant for it, not on the system's own. */
import { physicalDisks, systemDisks } from '../../mounts/disks.js';
import { isReadOnly, mountOf, readMountTable, type MountEntry } from '../../mounts/mount-table.js';
import { realpath } from '../../mounts/remote-fs.js';
import { fail, ok, skipped, type Verdict } from '../finding.js';

export interface Place {
  path: string;
  /** Undefined where the kernel does not tell (a chroot). */
  mount: MountEntry | undefined;
  /** Behind the mount; none for NFS. */
  disks: readonly string[];
  /** That the operating system lies on. */
  system: readonly string[];
}

/** @throws ENOENT; MountHungError */
export async function placeOf(path: string): Promise<Place> {
  const real = await realpath(path);
  const table = await readMountTable();
  const mount = mountOf(real, table);
  const [disks, system] = await Promise.all([mount ? physicalDisks(mount) : [], systemDisks(table)]);
  return { path, mount, disks, system };
}

export function judgePlace({ path, mount, disks, system }: Place, allowSystemDisk: boolean): Verdict {
  if (!mount) return skipped('the kernel does not tell this process what is mounted');
  const found = `${mount.source} on ${mount.mountPoint}`;
  if (isReadOnly(mount)) {
    return fail(
      `${found}, read-only`,
      'a file system that can be written',
      `mount it with rw; \`dmesg\` tells whether the kernel has made it so after an error`,
    );
  }
  const shared = disks.filter((disk) => system.includes(disk));
  const behind = disks.length > 0 ? ` (${disks.join(' ')})` : '';
  if (shared.length === 0) return ok(`${found}${behind}`);
  if (allowSystemDisk) return ok(`${found}${behind}, the system disk: allowed`);
  return fail(
    `${path} lies on the system disk ${shared.join(' ')} (${found})`,
    'disks of its own: sectors would fill those of the system, and wait for them',
    `mount the data disks on ${path} (\`lsblk\`, \`df -h\`); allow_system_disk = true if it is meant so`,
  );
}
