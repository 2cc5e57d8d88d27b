/** P6 on a full disk, or with a stale NFS view. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { cacheDir, doneFile, goneName } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { flip } from '../../helpers/damage.js';
import { createTestHost, failureFrom, type TestHost } from '../../helpers/test-host.js';

const odd = {
  /** No new file fits below this until the layers of the sector are gone. */
  full: '',
  /** The next lookup of these fails: an NFS client may have cached a name as missing. */
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
let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
  await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
});

test('on a disk too full for done/, room is freed from the scratch', async () => {
  const done = doneFile(host.group, SECTOR);
  const cache = cacheDir(host.group);
  odd.full = join(done, '..');
  // Wherever their directory was renamed to.
  odd.layers = () =>
    readdirSync(cache).some((name) => existsSync(join(cache, name, '1/P1-1/sc-02-data-layer-1.dat')));
  await host.clean();
  expect(existsSync(done)).toBe(true);
  expect(await readdir(cache)).toEqual([]);
});

test('a large file is compared with P2’s, before it gets its final name and after', async () => {
  const large = await createTestHost({ FIXTURE_BYTES: String(2 ** 18) });
  await large.seals('P1', 'P2', 'P3', 'P4', 'P5');
  const [part = ''] = await readdir(join(large.node, '.sealflow'));
  const copied = join(large.node, '.sealflow', part, 'sealed');
  expect((await stat(copied)).size).toBe(2 ** 18);
  await flip(copied);
  expect(await failureFrom(large.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
  expect(existsSync(join(large.node, 'sealed'))).toBe(false);
  await flip(copied);
  await large.clean();
  expect(existsSync(join(large.node, 'sealed/s-t01000-7'))).toBe(true);
});

test('a P6 that finds another one deleting does not send the sector back to P1', async () => {
  await host.clean();
  const rest = join(cacheDir(host.group), goneName(SECTOR, '11111111-2222-4333-8444-555555555555'));
  await mkdir(rest);
  await writeFile(join(rest, 'rest'), 'x');
  odd.stale.add(doneFile(host.group, SECTOR));
  await host.clean();
  expect(await readdir(cacheDir(host.group))).toEqual([]);
});
