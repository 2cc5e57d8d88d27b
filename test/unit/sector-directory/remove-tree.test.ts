import { execFileSync } from 'node:child_process';
import { lstat, link, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { NotOursError, removeTree } from '../../../src/sector-directory/remove-tree.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let directory: string;
/** The tree to delete: files first and last by name, so that there is one before and one after what stops it. */
let tree: string;
/** Files of others, which must never be touched. */
let foreign: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  [tree, foreign] = [join(directory, 'tree'), join(directory, 'foreign')];
  for (const path of [foreign, tree, join(tree, 'd'), join(tree, 'd/d')]) await mkdir(path);
  for (const path of ['foreign/file', 'tree/a', 'tree/z', 'tree/d/a', 'tree/d/z', 'tree/d/d/a']) {
    await writeFile(join(directory, path), Buffer.alloc(5000, 1));
  }
});

/** All names below; `readdir` itself would follow links. */
async function names(path: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(path, below), { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const name = join(below, entry.name);
    return entry.isDirectory() ? [name, ...(await names(path, name))] : [name];
  });
  return (await Promise.all(found)).flat().sort();
}

/** Nothing may be gone, in the tree or next to it. */
async function expectRefused(what: string): Promise<void> {
  const [before, others] = [await names(tree), await names(foreign)];
  await expect(removeTree(tree)).rejects.toThrow(NotOursError);
  await expect(removeTree(tree)).rejects.toThrow(what);
  expect(await names(tree)).toEqual(before);
  expect(await names(foreign)).toEqual(others);
}

test('a plain tree is deleted, and the bytes freed are returned', async () => {
  const files = (await names(tree)).map((name) => join(tree, name));
  const stats = await Promise.all(files.map((path) => stat(path)));
  const bytes = stats.filter((file) => file.isFile()).reduce((sum, { blocks }) => sum + blocks * 512, 0);
  expect(bytes).toBeGreaterThanOrEqual(5 * 5000);
  expect(await removeTree(tree)).toBe(bytes);
  expect(await readdir(directory)).toEqual(['foreign']);
});

test('a directory that does not exist frees nothing', async () => {
  expect(await removeTree(join(directory, 'none'))).toBe(0);
  expect(await removeTree(join(directory, 'foreign/file/none'))).toBe(0);
});

test('an empty directory is deleted', async () => {
  await mkdir(join(directory, 'empty'));
  expect(await removeTree(join(directory, 'empty'))).toBe(0);
  expect(await readdir(directory)).not.toContain('empty');
});

test('names with any bytes are deleted', async () => {
  for (const name of ['-rf', ' ', '\n', '*', '..x', 'é']) await writeFile(join(tree, name), '');
  await removeTree(tree);
  expect(await readdir(directory)).toEqual(['foreign']);
});

describe('a symbolic link stops it before anything is deleted:', () => {
  test.each([
    ['to a file', 'm', '../foreign/file'],
    ['to a directory', 'm', '../foreign'],
    ['to /', 'm', '/'],
    ['to nothing', 'm', 'nowhere'],
    ['to itself', 'm', 'm'],
    ['to its own tree', 'm', '.'],
    ['one level down', 'd/m', '../../foreign'],
    ['two levels down', 'd/d/m', '../../../foreign'],
    ['as the last name', 'zz', '../foreign'],
    ['as the first name', '!', '../foreign'],
  ])('%s', async (_, name, target) => {
    await symlink(target, join(tree, name));
    await expectRefused(`${join(tree, name)} is a symbolic link`);
  });

  test('as the top', async () => {
    const top = join(directory, 'top');
    await symlink('tree', top);
    await expect(removeTree(top)).rejects.toThrow(NotOursError);
    expect(await names(tree)).toHaveLength(7);
    expect((await lstat(top)).isSymbolicLink()).toBe(true);
  });
});

describe('what sealflow cannot have made stops it:', () => {
  test('a fifo', async () => {
    execFileSync('mkfifo', [join(tree, 'd/m')]);
    await expectRefused(`${join(tree, 'd/m')} is not a plain file`);
  });

  test('a socket', async () => {
    const server = createServer().listen(join(tree, 'm'));
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    await expectRefused(`${join(tree, 'm')} is not a plain file`);
  });

  test('a file as the top', async () => {
    await expect(removeTree(join(foreign, 'file'))).rejects.toThrow('is not a directory');
    expect(await names(foreign)).toEqual(['file']);
  });

  test('another file system', async (context) => {
    const mount = join(tree, 'd/m');
    await mkdir(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      context.skip('this user cannot mount a tmpfs');
    }
    try {
      await writeFile(join(mount, 'file'), '');
      await expectRefused(`${mount} is a mount`);
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  test('a bind mount of the same file system', async (context) => {
    const mount = join(tree, 'd/m');
    await mkdir(mount);
    try {
      execFileSync('mount', ['--bind', foreign, mount], { stdio: 'ignore' });
    } catch {
      context.skip('this user cannot bind a directory');
    }
    try {
      await expectRefused(`${mount} is a mount`);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
});

describe('hard links', () => {
  test('to files elsewhere free nothing, and the file stays', async () => {
    await mkdir(join(directory, 'linked'));
    await link(join(foreign, 'file'), join(directory, 'linked/file'));
    expect(await removeTree(join(directory, 'linked'))).toBe(0);
    expect((await stat(join(foreign, 'file'))).size).toBe(5000);
  });

  test('of one tree are counted once', async () => {
    await mkdir(join(directory, 'linked'));
    await writeFile(join(directory, 'linked/one'), Buffer.alloc(5000, 1));
    const { blocks } = await stat(join(directory, 'linked/one'));
    for (const name of ['two', 'three'])
      await link(join(directory, 'linked/one'), join(directory, 'linked', name));
    expect(await removeTree(join(directory, 'linked'))).toBe(blocks * 512);
  });
});
