import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { physicalDisks, systemDisks } from '../../../src/mounts/disks.js';
import { MountGuard, MountWrongError } from '../../../src/mounts/guard.js';
import { mountOf, readMountTable, type MountEntry } from '../../../src/mounts/mount-table.js';
import { lacks } from '../../helpers/abilities.js';
import { run } from '../../helpers/commands.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let directory: string;
let guard: MountGuard;
beforeEach(async () => {
  const root = await temporaryDirectory();
  directory = join(root, 'sealer');
  await mkdir(directory);
  guard = new MountGuard(directory, { allowSystemDisk: true });
});

const refusal = (): Promise<string> =>
  guard.check().then(
    () => 'in order',
    (error: unknown) => {
      expect(error).toBeInstanceOf(MountWrongError);
      return (error as Error).message;
    },
  );

test('a directory that does not exist is refused', async () => {
  guard = new MountGuard('/no/such/place', { allowSystemDisk: true });
  expect(await refusal()).toBe('/no/such/place is not there: is it mounted?');
});

test('the system disk is refused unless allowed, also through a symbolic link', async () => {
  const table = await readMountTable();
  const shared = await physicalDisks(mountOf(directory, table) as MountEntry);
  const isSystemDisk = (await systemDisks(table)).some((disk) => shared.includes(disk));
  expect(await refusal()).toBe('in order');
  const link = `${directory}-link`;
  await symlink(directory, link);
  for (const path of [directory, link]) {
    guard = new MountGuard(path, { allowSystemDisk: false });
    const disk = `the system disk ${shared.join(' ')}`;
    const message = `${path} is on ${disk}: is it mounted? (allow_system_disk = true allows it)`;
    expect(await refusal()).toBe(isSystemDisk ? message : 'in order');
  }
});

describe.skipIf(await lacks('mount'))('a mount', () => {
  const mount = async (...args: string[]): Promise<void> => {
    await run('mount', ...args, directory);
    onTestFinished(async () => {
      await run('umount', directory).catch(() => undefined);
    });
  };

  test('is in order without a disk', async () => {
    await mount('-t', 'tmpfs', 'one');
    guard = new MountGuard(directory, { allowSystemDisk: false });
    expect(await refusal()).toBe('in order');
  });

  test('that is gone or replaced is refused; the same one mounted again is in order', async () => {
    await mount('-t', 'tmpfs', 'one');
    expect(await refusal()).toBe('in order');
    await guard.pinIdentity();
    await run('umount', directory);
    expect(await refusal()).toMatch(
      new RegExp(`^${directory} is a different file system than before: .*, was tmpfs one on ${directory}$`),
    );
    await mount('-t', 'tmpfs', 'two');
    expect(await refusal()).toBe(
      `${directory} is a different file system than before: tmpfs two on ${directory}, ` +
        `was tmpfs one on ${directory}`,
    );
    await run('umount', directory);
    await mount('-t', 'tmpfs', 'one');
    expect(await refusal()).toBe('in order');
  });

  test('that was not pinned may be replaced: its marker identifies it', async () => {
    expect(await refusal()).toBe('in order');
    await mount('-t', 'tmpfs', 'one');
    expect(await refusal()).toBe('in order');
  });

  test('that is read-only passes verifyMounted', async () => {
    await mount('-t', 'tmpfs', '-o', 'ro', 'one');
    expect(await guard.verifyMounted()).toMatchObject({ source: 'one' });
  });

  test('that is read-only is refused', async () => {
    await mount('-t', 'tmpfs', '-o', 'ro', 'one');
    expect(await refusal()).toBe(`${directory} is mounted read-only`);
  });
});
