import { link, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { groupDirectories, sectorDir, type GroupDirectory } from '../../../src/paths.js';
import { scratchBytes, type SectorSize } from '../../../src/phases.js';
import { sectorOf } from '../../../src/sector.js';
import { holdsOneMore, lookForRoom } from '../../../src/workers/scratch.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let group: GroupDirectory;
beforeEach(async () => {
  group = { root: await temporaryDirectory(), place: '10.10.4.23' };
  for (const path of groupDirectories(group)) await mkdir(path);
});

/** A sector's directory with an attempt. @returns the attempt's directory */
async function makeSector(number: number, size: string = '2KiB'): Promise<string> {
  const directory = sectorDir(group, sectorOf(`t01000/${number}`));
  await mkdir(join(directory, '1/P1-1'), { recursive: true });
  await writeFile(join(directory, 'sector.json'), JSON.stringify({ v: 1, size }));
  return join(directory, '1/P1-1');
}

const blocks = async (path: string): Promise<number> => (await stat(path)).blocks * 512;
const reserved = async (): Promise<number> => (await lookForRoom(group)).reserved;
/** What sector.json takes. */
const own = (attempt: string): Promise<number> => blocks(join(attempt, '../../sector.json'));

describe('room', () => {
  test('of an empty directory is what the file system has free', async () => {
    const { free, reserved: kept } = await lookForRoom(group);
    expect(kept).toBe(0);
    expect(free).toBeGreaterThan(0);
  });

  test('is reserved for what sectors have still to use', async () => {
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

  test('is not reserved for a sector that uses more than was reckoned', async () => {
    const attempt = await makeSector(1);
    await writeFile(join(attempt, 'layer'), Buffer.alloc(100_000, 1));
    expect(await reserved()).toBe(0);
  });

  test('is reserved for each sector by its own size', async () => {
    const attempts = [await makeSector(1, '2KiB'), await makeSector(2, '32GiB')];
    const used = (await Promise.all(attempts.map(own))).reduce((sum, bytes) => sum + bytes);
    expect(await reserved()).toBe(scratchBytes('2KiB') + scratchBytes('32GiB') - used);
  });

  test.each(['{', '{"size":"3KiB"}', 'null'])(
    'is not reserved for a sector whose file holds %j',
    async (text) => {
      const attempt = await makeSector(1);
      await writeFile(join(attempt, '../../sector.json'), text);
      expect(await reserved()).toBe(0);
    },
  );

  test('is not reserved for what is being deleted, or is nobody’s', async () => {
    for (const name of ['.gone-s-t01000-7-x', 'lost+found']) {
      const directory = join(group.root, 'nfs/10.10.4.23/cache', name);
      await mkdir(directory);
      await writeFile(join(directory, 'sector.json'), '{"size":"32GiB"}');
    }
    await writeFile(join(group.root, 'nfs/10.10.4.23/cache/s-file'), '');
    expect(await reserved()).toBe(0);
  });

  test('of a group that is not there is an error', async () => {
    await expect(lookForRoom({ ...group, place: 'other' })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.each(['2KiB', '32GiB', '64GiB'] satisfies SectorSize[])(
  'one more %s sector needs its scratch free, to the byte',
  (size) => {
    const needed = scratchBytes(size);
    expect(holdsOneMore({ free: needed, reserved: 0 }, size)).toBe(true);
    expect(holdsOneMore({ free: needed - 1, reserved: 0 }, size)).toBe(false);
    expect(holdsOneMore({ free: needed + 100, reserved: 100 }, size)).toBe(true);
    expect(holdsOneMore({ free: needed + 99, reserved: 100 }, size)).toBe(false);
  },
);
