/** Finds the physical disks behind a mount through partitions, md, dm and LVM (sysfs). */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mountOf, type MountEntry } from './mount-table.js';

/**
 * Finds the whole disks behind a mount.
 * @param sys mount point of sysfs
 * @returns names like `sda` or `nvme0n1`; none if there is no block device (NFS, tmpfs, overlay)
 */
export async function physicalDisks(mount: MountEntry, sys = '/sys'): Promise<string[]> {
  const device = await blockDevice(mount);
  const disks = device === undefined ? [] : await wholeDisks(join(sys, 'dev/block', device));
  return [...new Set(disks)].sort();
}

/**
 * The disks that hold the operating system. In a container, whose root is an overlay: the disks behind the
 * files that the container runtime mounts into it, which are stored with the images.
 */
export async function systemDisks(table: readonly MountEntry[], sys = '/sys'): Promise<string[]> {
  for (const path of ['/', '/etc/hostname', '/etc/hosts']) {
    const mount = mountOf(path, table);
    const disks = mount ? await physicalDisks(mount, sys) : [];
    if (disks.length > 0) return disks;
  }
  return [];
}

/** Describes the disk or file system that a mount shares with the operating system; undefined if none. */
export async function sharedWithSystem(
  mount: MountEntry,
  table: readonly MountEntry[],
): Promise<string | undefined> {
  const system = await systemDisks(table);
  const shared = (await physicalDisks(mount)).filter((disk) => system.includes(disk));
  if (shared.length > 0) return `the system disk ${shared.join(' ')}`;
  // No disk can be found for a root on an overlay, ZFS or NFS: compare the file systems.
  return mount.device === mountOf('/', table)?.device ? `the file system of / (${mount.fsType})` : undefined;
}

/** The device number, `8:1`. btrfs has an anonymous one, so the real device is found by name there. */
async function blockDevice({ device, source }: MountEntry): Promise<string | undefined> {
  if (!device.startsWith('0:')) return device;
  const found = source.startsWith('/dev/') ? await stat(source).catch(() => undefined) : undefined;
  return found?.isBlockDevice() ? deviceNumber(found.rdev) : undefined;
}

// Unpacks makedev(3): 12 bits of major above the low 8 bits of minor.
const deviceNumber = (rdev: number): string =>
  `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;

/** @param link to a device's directory in sysfs; if it does not exist there are no disks */
async function wholeDisks(link: string): Promise<string[]> {
  const directory = await realpath(link).catch(() => undefined);
  if (directory === undefined) return [];
  const slaves = await readdir(join(directory, 'slaves')).catch(() => []);
  if (slaves.length > 0) {
    return (await Promise.all(slaves.map((name) => wholeDisks(join(directory, 'slaves', name))))).flat();
  }
  // A partition's directory is inside its disk's directory, and has no slaves.
  const isPartition = await stat(join(directory, 'partition')).catch(() => undefined);
  return isPartition ? await wholeDisks(dirname(directory)) : [basename(directory)];
}
