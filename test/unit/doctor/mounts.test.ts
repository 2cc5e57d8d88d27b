import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeGroup } from '../../../src/doctor/checks/group.js';
import { judgeLoad } from '../../../src/doctor/checks/load.js';
import { judgeNfs } from '../../../src/doctor/checks/nfs.js';
import { judgeOwner } from '../../../src/doctor/checks/owner.js';
import { judgeProbe, probe } from '../../../src/doctor/checks/probe.js';
import { judgeNodes, judgeRoom } from '../../../src/doctor/checks/room.js';
import { judgeSystemDisk } from '../../../src/doctor/checks/system-disk.js';
import { parseMountTable, type MountEntry } from '../../../src/mounts/mount-table.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { config } from './samples.js';
import { errnoError } from '../../helpers/errno.js';

const GB = 1e9;
const marker = { v: 1, group: 1, id: 'f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4', subdirectory: '10.10.4.23' };

/** Of a line of /proc/self/mountinfo. */
const mount = (line: string): MountEntry => parseMountTable(line)[0] as MountEntry;
const MD1 = mount('98 27 9:1 / /sealer rw,relatime shared:1 - xfs /dev/md1 rw,attr2,inode64,noquota');
const ROOT = mount('27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw');
const nfs = (options: string): MountEntry =>
  mount(
    `210 27 0:51 / /sealer rw,relatime shared:99 - nfs 10.10.10.21:/sealer rw,${options},namlen=255,proto=tcp,sec=sys,addr=10.10.10.21`,
  );
const GOOD = 'vers=3,rsize=1048576,wsize=1048576,hard,nolock,timeo=600,retrans=2,local_lock=all';

describe("the group's directory", () => {
  test('is it', () => {
    expect(judgeGroup(config(), 'default', marker)).toMatchObject({
      result: 'ok',
      found: 'group 1, sectors in nfs/10.10.4.23',
    });
  });

  test('is not mounted', () => {
    expect(judgeGroup(config(), 'default', '/sealer/sealflow.json is not there: is it mounted?')).toEqual({
      result: 'fail',
      found: '/sealer/sealflow.json is not there: is it mounted?',
      wanted: 'the directory of group 1',
      hint: 'mount it; on the P1 host of a new group: sealflow setup --local-dir /sealer --group 1',
    });
  });

  test("is another group's", () => {
    expect(judgeGroup(config(), 'default', { ...marker, group: 2 })).toEqual({
      result: 'fail',
      found: 'the directory of group 2',
      wanted: 'the directory of group 1',
      hint: 'correct group_id, or mount the right directory: P2 would not find what P1 has written',
    });
  });

  test("is another chain's", () => {
    expect(judgeGroup(config(), 'default', { ...marker, namespace: 'default' }).result).toBe('ok');
    expect(judgeGroup(config(), 'default', { ...marker, namespace: 'calibration' })).toEqual({
      result: 'fail',
      found: 'the directory of Temporal namespace calibration',
      wanted: 'the directory of default',
      hint: 'set TEMPORAL_NAMESPACE, or mount the right directory: each chain has its own namespace and directories',
    });
  });

  test("is one group's, where the config names two", () => {
    expect(judgeGroup({ ...config(), groups: [1, 2] }, 'default', marker)).toEqual({
      result: 'warn',
      found: 'the directory of group 1 only',
      wanted: 'one group per config.toml: a directory belongs to one group',
      hint: 'remove 2 from group_id, and give each other group its own config.toml',
    });
  });
});

describe('the disk', () => {
  const place = { path: '/sealer', mount: MD1, disks: ['sdb', 'sdc'], shared: undefined };

  test('is one of its own, or none of this host', () => {
    expect(judgeSystemDisk(place, false)).toMatchObject({
      result: 'ok',
      found: '/dev/md1 on /sealer (sdb sdc)',
    });
    expect(judgeSystemDisk({ ...place, mount: nfs(GOOD), disks: [] }, false)).toMatchObject({
      result: 'ok',
      found: '10.10.10.21:/sealer on /sealer',
    });
    expect(judgeSystemDisk({ ...place, mount: undefined }, false).result).toBe('skipped');
  });

  test("is the system's", () => {
    const onRoot = { ...place, mount: ROOT, disks: ['sda'], shared: 'the system disk sda' };
    expect(judgeSystemDisk(onRoot, false)).toEqual({
      result: 'fail',
      found: '/sealer is on the system disk sda (/dev/sda1 on /)',
      wanted: 'its own disks: sectors would fill the system disk and compete for its I/O',
      hint: 'mount the data disks on /sealer (`lsblk`, `df -h`); set allow_system_disk = true if this is intended',
    });
    expect(judgeSystemDisk(onRoot, true)).toMatchObject({
      result: 'ok',
      found: '/dev/sda1 on / (sda), the system disk sda: allowed',
    });
  });

  test('cannot be written', () => {
    const readOnly = mount('98 27 9:1 / /sealer rw,relatime shared:1 - xfs /dev/md1 ro,attr2');
    expect(judgeSystemDisk({ ...place, mount: readOnly }, true)).toMatchObject({
      result: 'fail',
      found: '/dev/md1 on /sealer, read-only',
      wanted: 'a writable file system',
    });
  });
});

describe('options of NFS', () => {
  test('are right', () => {
    expect(judgeNfs(nfs(GOOD))).toMatchObject({
      result: 'ok',
      found: 'vers=3,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,proto=tcp',
    });
    expect(judgeNfs(nfs(GOOD.replace('vers=3', 'vers=4.2'))).result).toBe('ok');
    expect(judgeNfs(MD1)).toMatchObject({ result: 'skipped', found: 'xfs, not NFS' });
  });

  test.each([
    ['hard', 'soft', 'fail', 'soft', 'hard: calls wait until the server is back'],
    ['hard', 'softerr', 'fail', 'softerr', 'hard: calls wait'],
    ['vers=3', 'vers=2', 'fail', 'vers=2', 'vers=3: the server keeps no state'],
    ['nolock', 'proto=udp', 'fail', 'proto=udp', 'proto=tcp: UDP corrupts data'],
    ['nolock', 'acdirmax=3600', 'fail', 'acdirmax=3600', 'acdirmax=60: seconds, like acregmax'],
    ['timeo=600', 'timeo=14', 'warn', 'timeo=14', 'timeo=600: tenths of a second'],
    ['retrans=2', 'retrans=1', 'warn', 'retrans=1', 'retrans=2: retransmissions before'],
    ['rsize=1048576', 'rsize=8192', 'warn', 'rsize=8192', 'rsize=1048576: P2 reads 400 GB'],
    ['wsize=1048576', 'wsize=8192', 'warn', 'wsize=8192', 'wsize=1048576: the same for writing'],
    ['nolock', 'sync', 'warn', 'sync', 'async: writes are sent to the server in batches'],
    ['nolock', 'noac', 'warn', 'noac', 'ac: attributes are cached'],
  ])('%s is %s: %s', (right, wrong, result, found, wanted) => {
    // The kernel tells a transport once.
    const entry = nfs(GOOD.replace(right, wrong));
    const options = wrong.startsWith('proto')
      ? entry.options.filter((option) => option !== 'proto=tcp')
      : entry.options;
    const verdict = judgeNfs({ ...entry, options });
    expect(verdict).toMatchObject({ result, found });
    expect(verdict.wanted.startsWith(wanted)).toBe(true);
    expect(verdict.hint).toMatch(/^mount it with .* \(sealflow doctor --print-mounts\)$/);
  });
});

describe('the owner', () => {
  const owner = { uid: 1000, gid: 1000, mode: 0o40755 };
  const own = { path: '/sealer/nfs', uid: 1000, gid: 1000, owner, writable: true };

  test('is this user', () => {
    expect(judgeOwner(own)).toMatchObject({ result: 'ok', found: 'user 1000, owner 1000:1000' });
    expect(judgeOwner({ ...own, uid: 0 }).result).toBe('ok');
  });

  test('is root, and nobody else may write', () => {
    const roots = { ...own, owner: { uid: 0, gid: 0, mode: 0o40755 }, writable: false };
    expect(judgeOwner(roots)).toEqual({
      result: 'fail',
      found: '/sealer/nfs is owned by 0:0, mode 755; this process runs as 1000:1000',
      wanted: 'write permission for user 1000',
      hint: 'on the host that exports it: chown -R 1000:1000 /sealer/nfs, or run the worker as user 0',
    });
  });

  test('cannot be seen', () => {
    expect(judgeOwner({ ...own, owner: undefined, writable: false })).toEqual({
      result: 'fail',
      found: '/sealer/nfs: user 1000 may not enter a parent directory',
      wanted: 'write permission for user 1000',
      hint: '`namei -l /sealer/nfs` shows which; chown it to 1000, or run the worker as its owner',
    });
  });

  test('is somebody else who lets us write', () => {
    const others = { ...own, owner: { uid: 1001, gid: 1000, mode: 0o40775 } };
    expect(judgeOwner(others)).toEqual({
      result: 'warn',
      found: '/sealer/nfs is owned by 1001:1000, mode 775; this process runs as 1000:1000',
      wanted:
        'the same numeric user for all workers of a group: P2 reads and deletes files that P1 wrote on another host',
      hint: 'run this worker as user 1001',
    });
  });
});

describe('the probe', () => {
  test('leaves nothing behind', async () => {
    const directory = await temporaryDirectory();
    const verdict = await probe(directory);
    expect(verdict.result).toBe('ok');
    expect(verdict.found).toMatch(/^written, renamed and deleted in [0-9.]+ (ms|s)$/);
    expect(await readdir(directory)).toEqual([]);
  });

  test('tells the step that fails, and leaves nothing behind', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    const verdict = await probe(join(directory, 'missing'));
    expect(verdict).toMatchObject({
      result: 'fail',
      wanted: 'a file can be written, fsynced, renamed and deleted',
      hint: 'the directory does not exist: is it mounted?',
    });
    expect(verdict.found).toMatch(/^write and fsync in .*\/missing: ENOENT/);
    expect((await probe(join(directory, 'file'))).found).toMatch(/ENOTDIR/);
    expect(await readdir(directory)).toEqual(['file']);
  });

  test.each([
    ['EACCES', /^user \d+ lacks permission: check the owner; an NFS export with root_squash denies root$/],
    ['EROFS', /^it is mounted read-only$/],
    ['ENOSPC', /^the disk, its inodes or a quota are exhausted$/],
    ['ESTALE', /^the NFS server now exports another file system there: umount and mount it again$/],
    ['EIO', /^`dmesg` may show/],
  ])('has a hint for %s', (code, hint) => {
    const error = errnoError(code, 'rename');
    expect(judgeProbe('/sealer', 'rename', error)).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/^rename in \/sealer: E[A-Z]+: /) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });
});

describe('room', () => {
  test('is there for all P1, begun ones included', () => {
    const room = { free: 5_300 * GB, reserved: 0, sectors: 0 };
    expect(judgeRoom(config(), room)).toMatchObject({
      result: 'ok',
      found: '5300.0 GB free',
    });
    expect(judgeRoom(config(), { free: 2_000 * GB, reserved: 1_900 * GB, sectors: 10 }).result).toBe('ok');
  });

  test('is there for some P1', () => {
    expect(judgeRoom(config(), { free: 2_000 * GB, reserved: 100 * GB, sectors: 1 })).toEqual({
      result: 'warn',
      found: '2000.0 GB free, 1 sector there will still use 100.0 GB',
      wanted: '4769.5 GB: 518.8 GB for each of 9 more in P1',
      hint: 'free space, wait for P6 to free some, or lower num of the P1 pool',
    });
  });

  test('is there for none, or not even for those that have begun', () => {
    expect(judgeRoom(config(), { free: 400 * GB, reserved: 0, sectors: 0 })).toMatchObject({
      result: 'fail',
      wanted: '5188.3 GB: 518.8 GB for each of 10 more in P1',
    });
    expect(judgeRoom(config(), { free: 50 * GB, reserved: 90 * GB, sectors: 20 })).toMatchObject({
      result: 'fail',
      found: '50.0 GB free, 20 sectors there will still use 90.0 GB',
      wanted: '90.0 GB for the sectors already there',
    });
  });
});

describe('storage nodes', () => {
  const nodes = [
    { node: '/mnt/a', free: 900 * GB },
    { node: '/mnt/b', free: 20 * GB },
  ];

  test('have room', () => {
    expect(judgeNodes(nodes.slice(0, 1), '32GiB')).toMatchObject({
      result: 'ok',
      found: '/mnt/a 900.0 GB free',
    });
  });

  test('are full, one of them or all', () => {
    expect(judgeNodes(nodes, '32GiB')).toEqual({
      result: 'warn',
      found: '/mnt/a 900.0 GB free, /mnt/b 20.0 GB free',
      wanted: '35 GB for one more 32GiB sector on each',
      hint: 'free space on /mnt/b, or add a node to storage-nodes',
    });
    expect(judgeNodes(nodes.slice(1), '32GiB').result).toBe('fail');
  });

  test('cannot be looked at', () => {
    const hung = { node: '/mnt/c', free: new Error('/mnt/c is hung: no answer since then') };
    expect(judgeNodes([hung], '2KiB')).toMatchObject({
      result: 'fail',
      found: '/mnt/c is hung: no answer since then',
      wanted: 'nodes that can be looked at',
      hint: 'mount /mnt/c, or see why it does not answer',
    });
    expect(judgeNodes([hung, { node: '/mnt/d', free: 1000 }], '2KiB')).toMatchObject({
      wanted: '4.1 kB for one more 2KiB sector on each',
      hint: 'mount /mnt/c, or see why it does not answer; free space on /mnt/d, or add a node to storage-nodes',
    });
  });
});

describe('the load', () => {
  test('is bearable, or of no disk of this host', () => {
    const busy = { disk: 'sdb', busy: 1, writeWaitMs: 12 };
    expect(judgeLoad([{ disk: 'sdc', busy: 0.4, writeWaitMs: 900 }, busy])).toMatchObject({
      result: 'ok',
      found: 'sdb busy 100 %, write wait 12 ms',
    });
    expect(judgeLoad([])).toMatchObject({ result: 'skipped', found: 'not on a disk of this host' });
  });

  test('is more than the disk bears', () => {
    expect(judgeLoad([{ disk: 'sda', busy: 0.998, writeWaitMs: 2140.4 }])).toEqual({
      result: 'warn',
      found: 'sda busy 100 %, write wait 2140 ms',
      wanted: 'write latency below 200 ms, or a disk that is idle at times',
      hint: 'watch it with `iostat -x 1`; run fewer P1 at once (num), add disks, or check that the right disk is mounted',
    });
  });
});
