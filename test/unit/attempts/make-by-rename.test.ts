import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { makeByRename } from '../../../src/attempts/make-by-rename.js';
import * as remote from '../../../src/mounts/remote-fs.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const refused = vi.hoisted(() => ({ target: '' }));
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof remote>();
  const rename = (from: string, to: string): Promise<void> =>
    to === refused.target
      ? Promise.reject(Object.assign(new Error('EPERM: x, rename'), { code: 'EPERM', errno: -1 }))
      : real.rename(from, to);
  return { ...real, rename };
});
afterEach(() => {
  refused.target = '';
});

test('EPERM with the name there means taken', async () => {
  const directory = await temporaryDirectory();
  refused.target = join(directory, '1');
  await mkdir(refused.target);
  await writeFile(join(refused.target, 'x'), '');
  expect(await makeByRename(refused.target, 'epoch.json', {})).toBe(false);
  expect(await readdir(directory)).toEqual(['1']);
});

test('EPERM with the name free is told, not tried for ever', async () => {
  const directory = await temporaryDirectory();
  refused.target = join(directory, '1');
  await expect(makeByRename(refused.target, 'epoch.json', {})).rejects.toMatchObject({ code: 'EPERM' });
  expect(await readdir(directory)).toEqual([]);
});
