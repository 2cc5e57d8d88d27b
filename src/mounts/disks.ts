/** The physical disks behind a mount, looked at through partitions, md, dm and LVM (sysfs). */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mountOf, type MountEntry } from './mount-table.js';

/**
 * Names of the whole disks, like `sda` or `nvme0n1`; none for what has no block device (NFS, tmpfs, an overlay).
 * @param sys where sysfs is
 */
export async function physicalDisks(mount: MountEntry, sys = '/sys'): Promise<string[]> {
  const device = await blockDevice(mount);
  const disks = device === undefined ? [] : await wholeDisks(join(sys, 'dev/block', device));
  return [...new Set(disks)].sort();
}

/**
 * The disks that the operating system lies on. In a container, whose root is an overlay, these are the ones behind the files
 * that the container's host puts into it: they lie with its images.
 */
export async function systemDisks(table: readonly MountEntry[], sys = '/sys'): Promise<string[]> {
  for (const path of ['/', '/etc/hostname', '/etc/hosts']) {
    const mount = mountOf(path, table);
    const disks = mount ? await physicalDisks(mount, sys) : [];
    if (disks.length > 0) return disks;
  }
  return [];
}

/** What a mount has in common with the operating system, in words: the disk, or the file system; undefined when nothing. */
export async function sharedWithSystem(
  mount: MountEntry,
  table: readonly MountEntry[],
): Promise<string | undefined> {
  const system = await systemDisks(table);
  const shared = (await physicalDisks(mount)).filter((disk) => system.includes(disk));
  if (shared.length > 0) return `the system disk ${shared.join(' ')}`;
  // Where the root has no disk that can be found: an overlay, ZFS, NFS.
  return mount.device === mountOf('/', table)?.device ? `the file system of / (${mount.fsType})` : undefined;
}

/** btrfs shows a device number of its own, and the real device by name. */
async function blockDevice({ device, source }: MountEntry): Promise<string | undefined> {
  if (!device.startsWith('0:')) return device;
  const found = source.startsWith('/dev/') ? await stat(source).catch(() => undefined) : undefined;
  return found?.isBlockDevice() ? deviceNumber(found.rdev) : undefined;
}

// As makedev(3) packs it: 12 bits of major behind the low 8 of minor.
const deviceNumber = (rdev: number): string =>
  `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;

/** @param link to a device's directory of sysfs; one that is not there is none */
async function wholeDisks(link: string): Promise<string[]> {
  const directory = await realpath(link).catch(() => undefined);
  if (directory === undefined) return [];
  const slaves = await readdir(join(directory, 'slaves')).catch(() => []);
  if (slaves.length > 0) {
    return (await Promise.all(slaves.map((name) => wholeDisks(join(directory, 'slaves', name))))).flat();
  }
  // A partition lies in the directory of its disk, and has no slaves of its own.
  const isPartition = await stat(join(directory, 'partition')).catch(() => undefined);
  return isPartition ? await wholeDisks(dirname(directory)) : [basename(directory)];
}
