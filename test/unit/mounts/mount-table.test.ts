import { describe, expect, test } from 'vitest';
import {
  identityOf,
  isReadOnly,
  mountOf,
  parseMountTable,
  readMountTable,
} from '../../../src/mounts/mount-table.js';

const TABLE = parseMountTable(
  [
    '22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro',
    '30 22 0:45 / /sealer rw,relatime shared:5 master:2 - nfs4 10.10.19.17:/sealer rw,vers=4.2,hard,timeo=600',
    '31 22 8:17 / /mnt/my\\040disk ro,noatime - xfs /dev/sdb1 rw,attr2',
    '32 22 0:46 /node-7 /mnt/nfs/10.10.4.23 rw - nfs4 10.10.4.23:/data rw',
    '33 22 8:33 / /sealer/nfs rw - ext4 /dev/sdc1 rw',
    '34 22 8:49 / /sealer/nfs rw - ext4 /dev/sdd1 ro',
  ].join('\n') + '\n',
);

describe('the mount of a path', () => {
  test.each([
    ['/', '/dev/sda2'],
    ['/sealer', '10.10.19.17:/sealer'],
    ['/sealer/sealflow.json', '10.10.19.17:/sealer'],
    ['/sealers', '/dev/sda2'],
    ['/mnt/my disk/x', '/dev/sdb1'],
    ['/mnt/nfs/10.10.4.23', '10.10.4.23:/data'],
    ['/mnt/nfs', '/dev/sda2'],
    ['/sealer/nfs/10.10.4.23', '/dev/sdd1'],
  ])('%s is %s', (path, source) => {
    expect(mountOf(path, TABLE)?.source).toBe(source);
  });

  test('has an identity made of all fields that determine which files it shows', () => {
    expect(TABLE.slice(0, 4).map(identityOf)).toEqual([
      'ext4 /dev/sda2 on /',
      'nfs4 10.10.19.17:/sealer on /sealer',
      'xfs /dev/sdb1 on /mnt/my disk',
      'nfs4 10.10.4.23:/data/node-7 on /mnt/nfs/10.10.4.23',
    ]);
  });

  test('combines the options of the mount and of its file system', () => {
    expect(TABLE[1]?.options).toEqual(['rw', 'relatime', 'vers=4.2', 'hard', 'timeo=600']);
    expect(TABLE.map(isReadOnly)).toEqual([false, false, true, false, false, true]);
  });
});

test('this machine has a root', async () => {
  expect(mountOf('/', await readMountTable())).toMatchObject({ mountPoint: '/' });
});
