import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { statfs } from '../../../src/mounts/remote-fs.js';
import { groupDirectories, sectorDir, type GroupDirectory } from '../../../src/paths.js';
import { scratchBytes, type SectorSize } from '../../../src/phases.js';
import { sectorOf } from '../../../src/sector.js';
import { Scratch } from '../../../src/group/scratch.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

vi.mock(import('../../../src/mounts/remote-fs.js'), async (original) => {
  const real = await original();
  return { ...real, statfs: vi.fn(real.statfs) };
});

let group: GroupDirectory;
beforeEach(async () => {
  group = { root: await temporaryDirectory(), subdirectory: '10.10.4.23' };
  for (const path of groupDirectories(group)) await mkdir(path);
});

/** Creates a sector's directory with an attempt. @returns the attempt's directory */
async function makeSector(number: number, size: string = '2KiB'): Promise<string> {
  const directory = sectorDir(group, sectorOf(`t01000/${number}`));
  await mkdir(join(directory, '1/P1-1'), { recursive: true });
  await writeFile(join(directory, 'sector.json'), JSON.stringify({ v: 1, size }));
  return join(directory, '1/P1-1');
}

const blocks = async (path: string): Promise<number> => (await stat(path)).blocks * 512;
const reserved = async (): Promise<number> => (await new Scratch('2KiB').measure(group)).reserved;
/** Bytes on disk of sector.json. */
const own = (attempt: string): Promise<number> => blocks(join(attempt, '../../sector.json'));

describe('room', () => {
  test('of an empty directory is the free space of the file system', async () => {
    const room = await new Scratch('2KiB').measure(group);
    expect(room.reserved).toBe(0);
    expect(room.free).toBeGreaterThan(0);
  });

  test('is reserved for what sectors still need', async () => {
    const attempt = await makeSector(1);
    expect(await reserved()).toBe(scratchBytes('2KiB') - (await own(attempt)));
    await writeFile(join(attempt, 'layer'), Buffer.alloc(8192, 1));
    expect(await reserved()).toBe(
      scratchBytes('2KiB') - (await own(attempt)) - (await blocks(join(attempt, 'layer'))),
    );
  });

  test('counts shared layers once', async () => {
    const attempt = await makeSector(1, '8MiB');
    await writeFile(join(attempt, 'layer'), Buffer.alloc(8192, 1));
    const before = await reserved();
    await mkdir(join(attempt, '../P2-1'));
    await link(join(attempt, 'layer'), join(attempt, '../P2-1/layer'));
    expect(await reserved()).toBe(before);
  });

  test('is not reserved for a sector that uses more than its scratch', async () => {
    const attempt = await makeSector(1);
    await writeFile(join(attempt, 'layer'), Buffer.alloc(100_000, 1));
    expect(await reserved()).toBe(0);
  });

  test('is reserved for each sector according to its size', async () => {
    const attempts = [await makeSector(1, '2KiB'), await makeSector(2, '32GiB')];
    const used = (await Promise.all(attempts.map(own))).reduce((sum, bytes) => sum + bytes);
    expect(await reserved()).toBe(scratchBytes('2KiB') + scratchBytes('32GiB') - used);
  });

  test.each(['{', '{"size":"3KiB"}', 'null'])(
    'is reserved by the host’s sector size if sector.json contains %j',
    async (text) => {
      const attempt = await makeSector(1);
      await writeFile(join(attempt, '../../sector.json'), text);
      expect(await reserved()).toBe(scratchBytes('2KiB') - (await own(attempt)));
    },
  );

  test('is not reserved for directories that are being deleted or are not sectors', async () => {
    for (const name of ['.gone-s-t01000-7-x', 'lost+found']) {
      const directory = join(group.root, 'nfs/10.10.4.23/cache', name);
      await mkdir(directory);
      await writeFile(join(directory, 'sector.json'), '{"size":"32GiB"}');
    }
    expect(await reserved()).toBe(0);
  });

  test('of a group directory that does not exist is an error', async () => {
    await expect(new Scratch('2KiB').measure({ ...group, subdirectory: 'other' })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

/** Mocks the free bytes of the group's file system. */
const withFree = (bytes: number): void =>
  void vi.mocked(statfs).mockResolvedValue({ bavail: bytes, bsize: 1 } as never);

describe('one more sector', () => {
  afterEach(() => vi.mocked(statfs).mockReset());

  test.each(['2KiB', '32GiB', '64GiB'] satisfies SectorSize[])(
    'of %s needs its scratch free, to the byte',
    async (size) => {
      const scratch = new Scratch(size);
      withFree(scratchBytes(size));
      expect(await scratch.shortage(group)).toBeUndefined();
      withFree(scratchBytes(size) - 1);
      expect(await scratch.shortage(group)).toContain(`has no room for one more ${size} sector`);
    },
  );

  test('is not charged for scratch that other sectors have used already', async () => {
    const attempt = await makeSector(1, '2KiB');
    await writeFile(join(attempt, 'layer'), Buffer.alloc(8192, 1));
    const rest = scratchBytes('2KiB') - (await own(attempt)) - 8192;
    withFree(rest + scratchBytes('2KiB'));
    expect(await new Scratch('2KiB').shortage(group)).toBeUndefined();
    withFree(rest + scratchBytes('2KiB') - 1);
    expect(await new Scratch('2KiB').shortage(group)).toMatch(
      / of which \d+(\.\d+)? kB are reserved for 1 sectors$/,
    );
  });

  test('does not count its own directory, whether it exists or not', async () => {
    const scratch = new Scratch('2KiB');
    withFree(scratchBytes('2KiB'));
    expect(await scratch.shortage(group, 's-t01000-1')).toBeUndefined();
    await mkdir(sectorDir(group, sectorOf('t01000/1')));
    expect(await scratch.shortage(group, 's-t01000-1')).toBeUndefined();
    expect(await scratch.shortage(group, 's-t01000-2')).toBeDefined();
  });

  test('sees the new size of a sector that was deleted and created again', async () => {
    const scratch = new Scratch('2KiB');
    const attempt = await makeSector(1, '32GiB');
    withFree(1e12);
    await scratch.shortage(group);
    await rm(join(attempt, '../..'), { recursive: true });
    expect(await scratch.measure(group)).toMatchObject({ reserved: 0, sectors: 0 });
    await makeSector(1, '2KiB');
    expect((await scratch.measure(group)).reserved).toBeLessThanOrEqual(scratchBytes('2KiB'));
  });
});
