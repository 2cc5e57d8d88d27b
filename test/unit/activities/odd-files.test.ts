/** P6 where the files of the group are full, or seen as they were a moment ago. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { cacheDir, doneFile, goneName } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { createSite, type Site } from '../../helpers/site.js';

const odd = {
  /** No new file fits below this until the layers of the sector are gone. */
  full: '',
  /** The next look at these finds nothing: an NFS client may remember a name as missing. */
  stale: new Set<string>(),
  layers: () => false,
};
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof import('../../../src/mounts/remote-fs.js')>();
  const errno = (code: string) => Promise.reject(Object.assign(new Error(code), { code, syscall: 'x' }));
  return {
    ...real,
    writeNewFile: (path: string, text: string) =>
      odd.full && path.startsWith(odd.full) && odd.layers() ? errno('ENOSPC') : real.writeNewFile(path, text),
    readFile: (path: string, encoding?: BufferEncoding) =>
      odd.stale.delete(path) ? errno('ENOENT') : real.readFile(path, encoding as BufferEncoding),
  };
});

const SECTOR = sectorOf('t01000/7');
let site: Site;
beforeEach(async () => {
  site = await createSite();
  await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
});

test('a disk that is too full for done/ gets its room from the scratch', async () => {
  const done = doneFile(site.group, SECTOR);
  const cache = cacheDir(site.group);
  odd.full = join(done, '..');
  // Wherever their directory was renamed to.
  odd.layers = () =>
    readdirSync(cache).some((name) => existsSync(join(cache, name, '1/P1-1/sc-02-data-layer-1.dat')));
  await site.clean();
  expect(existsSync(done)).toBe(true);
  expect(await readdir(cache)).toEqual([]);
});

test('a P6 that finds another one deleting does not send the sector back to P1', async () => {
  await site.clean();
  const rest = join(cacheDir(site.group), goneName(SECTOR, '11111111-2222-4333-8444-555555555555'));
  await mkdir(rest);
  await writeFile(join(rest, 'rest'), 'x');
  odd.stale.add(doneFile(site.group, SECTOR));
  await site.clean();
  expect(await readdir(cacheDir(site.group))).toEqual([]);
});
