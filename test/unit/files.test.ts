import { link, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ifPresent, isErrno, messageOf, readJson, usedBytes, writeJson } from '../../src/files.js';
import { errnoError } from '../helpers/errno.js';
import { temporaryDirectory } from '../helpers/temporary.js';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

describe('writeJson', () => {
  test('writes what is read again, and nothing beside it', async () => {
    await writeJson(join(directory, 'a.json'), { a: [1, null, 'é'] });
    expect(await readJson(join(directory, 'a.json'))).toEqual({ a: [1, null, 'é'] });
    expect(await readdir(directory)).toEqual(['a.json']);
  });

  test('replaces a file that is there', async () => {
    await writeJson(join(directory, 'a.json'), { long: 'x'.repeat(1000) });
    await writeJson(join(directory, 'a.json'), 1);
    expect(await readFile(join(directory, 'a.json'), 'utf8')).toBe('1\n');
  });

  test('leaves nothing behind when the name belongs to a directory', async () => {
    await mkdir(join(directory, 'a.json'));
    await expect(writeJson(join(directory, 'a.json'), 1)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(directory)).toEqual(['a.json']);
  });

  test('leaves the old file and nothing else when the value cannot be written', async () => {
    await writeJson(join(directory, 'a.json'), 'old');
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [cycle, 1n])
      await expect(writeJson(join(directory, 'a.json'), value)).rejects.toThrow(TypeError);
    expect(await readdir(directory)).toEqual(['a.json']);
    expect(await readJson(join(directory, 'a.json'))).toBe('old');
  });

  test('does not make the directory', async () => {
    await expect(writeJson(join(directory, 'none/a.json'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(directory)).toEqual([]);
  });

  test('writes whole files only, also when many write at once', async () => {
    const path = join(directory, 'a.json');
    await writeJson(path, { from: -1, filler: '' });
    const writers = Array.from({ length: 20 }, (_, from) =>
      writeJson(path, { from, filler: String(from).repeat(5000) }),
    );
    const readers = Array.from({ length: 50 }, () => readJson(path));
    for (const read of await Promise.all(readers)) {
      const { from, filler } = read as { from: number; filler: string };
      expect(filler).toBe(from < 0 ? '' : String(from).repeat(5000));
    }
    await Promise.all(writers);
    expect(await readdir(directory)).toEqual(['a.json']);
  });
});

describe('readJson', () => {
  test.each(['none.json', 'file/none.json'])('gives undefined for %s, which is not there', async (name) => {
    await writeFile(join(directory, 'file'), '1');
    expect(await readJson(join(directory, name))).toBeUndefined();
  });

  test.each(['', '{', '{"a":1} x', '\0'])('names the file that holds %j', async (text) => {
    const path = join(directory, 'a.json');
    await writeFile(path, text);
    await expect(readJson(path)).rejects.toThrow(SyntaxError);
    await expect(readJson(path)).rejects.toThrow(path);
  });

  test('tells a directory in its place', async () => {
    await expect(readJson(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe('ifPresent', () => {
  test('lets other errors through', async () => {
    await expect(ifPresent(Promise.reject(new Error('other')))).rejects.toThrow('other');
  });

  test('isErrno looks at the code of errors only', () => {
    expect(isErrno(Object.assign(new Error('x'), { code: 'EPERM' }), 'ENOENT', 'EPERM')).toBe(true);
    expect(isErrno({ code: 'EPERM' }, 'EPERM')).toBe(false);
  });
});

describe('usedBytes', () => {
  const blocks = async (path: string): Promise<number> => (await stat(path)).blocks * 512;

  test('is 0 for what is not there', async () => {
    expect(await usedBytes(join(directory, 'none'))).toBe(0);
  });

  test('counts files in all depths', async () => {
    await mkdir(join(directory, 'a/b'), { recursive: true });
    await writeFile(join(directory, 'one'), Buffer.alloc(10_000, 1));
    await writeFile(join(directory, 'a/b/two'), Buffer.alloc(20_000, 1));
    const expected = (await blocks(join(directory, 'one'))) + (await blocks(join(directory, 'a/b/two')));
    expect(expected).toBeGreaterThanOrEqual(30_000);
    expect(await usedBytes(directory)).toBe(expected);
  });

  test('counts a file with many links once', async () => {
    await mkdir(join(directory, 'a'));
    await writeFile(join(directory, 'one'), Buffer.alloc(10_000, 1));
    for (const name of ['two', 'a/three']) await link(join(directory, 'one'), join(directory, name));
    expect(await usedBytes(directory)).toBe(await blocks(join(directory, 'one')));
  });

  test('does not follow links', async () => {
    await writeFile(join(directory, 'one'), Buffer.alloc(10_000, 1));
    await mkdir(join(directory, 'a'));
    await symlink('..', join(directory, 'a/up'));
    expect(await usedBytes(join(directory, 'a'))).toBeLessThan(5_000);
  });

  test('counts what a sparse file has on disk, not its length', async () => {
    await writeFile(join(directory, 'sparse'), '');
    await truncate(join(directory, 'sparse'), 2 ** 30);
    expect(await usedBytes(directory)).toBeLessThan(2 ** 20);
  });
});

describe('an error that libuv has no name for', () => {
  test.each([
    ['EDQUOT', 'EDQUOT: disk quota exceeded, write'],
    ['ESTALE', 'ESTALE: stale file handle, write'],
  ])('is %s by its number, and told in words', (name, message) => {
    const error = errnoError(name, 'write');
    expect(error.code).toMatch(/^Unknown system error -[0-9]+$/);
    expect(isErrno(error, 'ENOSPC', name)).toBe(true);
    expect(isErrno(error, 'ENOSPC', 'ENOENT', 'EUCLEAN')).toBe(false);
    expect(messageOf(error)).toBe(message);
  });

  test('is told as it is when it has a name', () => {
    expect(messageOf(errnoError('EIO'))).toBe('EIO: x, open');
  });
});
