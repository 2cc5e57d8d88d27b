import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { physicalDisks, systemDisks } from '../../../src/mounts/disks.js';
import { parseMountTable, type MountEntry } from '../../../src/mounts/mount-table.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let sys: string;
beforeEach(async () => {
  sys = await temporaryDirectory();
});

/** Creates a block device as in sysfs. @param path below `devices/` @param slaves paths of other devices */
async function device(number: string, path: string, slaves: string[] = []): Promise<void> {
  const directory = join(sys, 'devices', path);
  await mkdir(join(directory, 'slaves'), { recursive: true });
  await mkdir(join(sys, 'dev/block'), { recursive: true });
  await symlink(relative(join(sys, 'dev/block'), directory), join(sys, 'dev/block', number));
  for (const slave of slaves) {
    const link = join(directory, 'slaves', slave.split('/').at(-1) ?? '');
    await symlink(relative(dirname(link), join(sys, 'devices', slave)), link);
  }
}

async function partition(number: string, path: string): Promise<void> {
  await device(number, path);
  await writeFile(join(sys, 'devices', path, 'partition'), '1\n');
}

const mount = (number: string, mountPoint = '/sealer', source = 'x', fsType = 'ext4'): string =>
  `30 22 ${number} / ${mountPoint} rw - ${fsType} ${source} rw`;
const entry = (line: string): MountEntry => parseMountTable(line)[0] as MountEntry;
const disksOf = (number: string): Promise<string[]> => physicalDisks(entry(mount(number)), sys);

describe('physical disks', () => {
  test('of a whole disk and of a partition', async () => {
    await device('8:0', 'pci/block/sda');
    await partition('8:1', 'pci/block/sda/sda1');
    expect(await disksOf('8:0')).toEqual(['sda']);
    expect(await disksOf('8:1')).toEqual(['sda']);
  });

  test('of LVM on md on partitions: all of them', async () => {
    await device('8:0', 'pci/block/sda');
    await partition('8:1', 'pci/block/sda/sda1');
    await device('259:0', 'pci/nvme/nvme0n1');
    await partition('259:1', 'pci/nvme/nvme0n1/nvme0n1p1');
    await device('9:0', 'virtual/block/md0', ['pci/block/sda/sda1', 'pci/nvme/nvme0n1/nvme0n1p1']);
    await device('253:0', 'virtual/block/dm-0', ['virtual/block/md0']);
    expect(await disksOf('253:0')).toEqual(['nvme0n1', 'sda']);
  });

  test('are none without a block device, or with an unknown one', async () => {
    expect(await disksOf('0:45')).toEqual([]);
    expect(await disksOf('8:99')).toEqual([]);
    expect(await physicalDisks(entry(mount('0:45', '/x', '/dev/none', 'btrfs')), sys)).toEqual([]);
  });
});

describe('system disks', () => {
  beforeEach(async () => {
    await device('8:0', 'pci/block/sda');
    await partition('8:1', 'pci/block/sda/sda1');
    await device('8:16', 'pci/block/sdb');
  });

  test('are those of the root', async () => {
    expect(await systemDisks(parseMountTable(`${mount('8:1', '/')}\n${mount('8:16')}`), sys)).toEqual([
      'sda',
    ]);
  });

  test('of a container are those behind the files mounted from its host', async () => {
    const table = parseMountTable(
      [mount('0:50', '/', 'overlay', 'overlay'), mount('8:1', '/etc/hosts'), mount('8:16')].join('\n'),
    );
    expect(await systemDisks(table, sys)).toEqual(['sda']);
  });

  test('are none if none can be found', async () => {
    expect(await systemDisks(parseMountTable(mount('0:50', '/', 'overlay', 'overlay')), sys)).toEqual([]);
  });
});
