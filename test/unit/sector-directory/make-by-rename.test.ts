import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { makeByRename } from '../../../src/sector-directory/changes/make-by-rename.js';
import * as remote from '../../../src/mounts/remote-fs.js';
import { errnoError } from '../../helpers/errno.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const refused = vi.hoisted(() => ({ target: '', code: 'EPERM' }));
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof remote>();
  const rename = (from: string, to: string): Promise<void> =>
    to === refused.target ? Promise.reject(errnoError(refused.code, 'rename')) : real.rename(from, to);
  return { ...real, rename };
});
afterEach(() => {
  Object.assign(refused, { target: '', code: 'EPERM' });
});

test('EPERM with an existing name means taken', async () => {
  const directory = await temporaryDirectory();
  refused.target = join(directory, '1');
  await mkdir(refused.target);
  await writeFile(join(refused.target, 'x'), '');
  expect(await makeByRename(refused.target, 'epoch.json', {})).toBe(false);
  expect(await readdir(directory)).toEqual(['1']);
});

test('EPERM with a free name is reported, not retried forever', async () => {
  const directory = await temporaryDirectory();
  refused.target = join(directory, '1');
  await expect(makeByRename(refused.target, 'epoch.json', {})).rejects.toMatchObject({ code: 'EPERM' });
  expect(await readdir(directory)).toEqual([]);
});

// As on an NFS client that has cached a name as missing while another host has made it.
test.each(['ENOTEMPTY', 'EEXIST'])('%s means taken, although the name is not visible', async (code) => {
  const directory = await temporaryDirectory();
  Object.assign(refused, { target: join(directory, '1'), code });
  expect(await makeByRename(refused.target, 'epoch.json', {})).toBe(false);
  expect(await readdir(directory)).toEqual([]);
});
