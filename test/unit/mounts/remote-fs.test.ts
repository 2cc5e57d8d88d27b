import * as fs from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { registerMount } from '../../../src/mounts/mounts.js';
import * as remote from '../../../src/mounts/remote-fs.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOUR = 3_600_000;

describe.each(['a mount', 'no mount'])('on %s', (where) => {
  let root: string;
  const at = (name: string): string => join(root, name);
  beforeEach(async () => {
    root = await temporaryDirectory();
    if (where === 'a mount') registerMount(root, { quickMs: HOUR, slowMs: HOUR });
  });

  test('each function behaves as in Node', async () => {
    await remote.mkdir(at('dir'));
    await remote.writeNewFile(at('dir/a'), 'text');
    await remote.link(at('dir/a'), at('dir/b'));
    await remote.rename(at('dir/b'), at('dir/c'));
    await remote.syncDirectory(at('dir'));
    expect(await remote.readdir(at('dir'))).toEqual(['a', 'c']);
    expect(await remote.readFile(at('dir/c'), 'utf8')).toBe('text');
    expect(await remote.readFile(at('dir/c'))).toEqual(Buffer.from('text'));
    expect((await remote.lstat(at('dir/c'))).nlink).toBe(2);
    await fs.symlink('dir', at('link'));
    expect((await remote.lstat(at('link'))).isSymbolicLink()).toBe(true);
    expect((await remote.stat(at('link'))).isDirectory()).toBe(true);
    await remote.access(at('dir'), constants.R_OK);
    expect((await remote.statfs(root)).bsize).toBeGreaterThan(0);
    await remote.unlink(at('dir/a'));
    await remote.rm(at('dir/c'));
    await remote.rm(at('dir/c'), { force: true });
    await remote.rmdir(at('dir'));
    expect(await fs.readdir(root)).toEqual(['link']);
  });

  const MISSING = [
    'readdir',
    'lstat',
    'stat',
    'statfs',
    'readFile',
    'rmdir',
    'unlink',
    'rm',
    'access',
  ] as const;
  test.each(MISSING)('%s fails as in Node', async (name) => {
    const errorOf = async (call: (path: string) => Promise<unknown>): Promise<unknown> =>
      await call(at('none')).catch((error: unknown) => ({ ...(error as object), message: String(error) }));
    const expected = await errorOf(fs[name]);
    expect(expected).toMatchObject({ code: 'ENOENT' });
    expect(await errorOf(remote[name])).toEqual(expected);
  });

  test('an error of a call on an open file names the file too, which Node’s does not', async () => {
    await expect(remote.readFile(root)).rejects.toThrow(
      `EISDIR: illegal operation on a directory, read '${root}'`,
    );
  });

  test('functions with two paths, or that create a file, fail as in Node', async () => {
    await remote.mkdir(at('dir'));
    await remote.writeNewFile(at('file'), '1');
    await expect(remote.mkdir(at('dir'))).rejects.toMatchObject({ code: 'EEXIST', syscall: 'mkdir' });
    await expect(remote.mkdir(at('none/dir'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(remote.link(at('file'), at('dir'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(remote.rename(at('none'), at('dir'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(remote.syncDirectory(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(remote.writeNewFile(at('file'), '2')).rejects.toMatchObject({ code: 'EEXIST' });
    // The existing file is not deleted by the failed call.
    expect(await fs.readFile(at('file'), 'utf8')).toBe('1');
  });
});
