/** What a receipt must be before an engine is sent to look at what it names. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Receipt } from '../../../src/storage/receipt.js';
import { inspectReceipt } from '../../../src/verify/inspect-receipt.js';
import { receiptPath } from '../../helpers/on-disk.js';
import { changeReceipt, storeSectors } from '../../helpers/stored.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { copyOf } from '../../helpers/verified.js';

const SECTOR = 't01000/1';

let root: string;
let node: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  node = await storeSectors(join(root, 'node'), 1);
});

const look = () => inspectReceipt(copyOf(node, SECTOR));

/** What is said to be wrong. */
async function found(): Promise<string> {
  const looked = await look();
  return 'wrong' in looked ? `${looked.wrong.name}: ${looked.wrong.found}` : 'nothing';
}

const NAME = 'receipts/s-t01000-1.json';

test('one that is in order is read', async () => {
  expect(await look()).toMatchObject({ receipt: { v: 1, sector: SECTOR, size: '2KiB', node: 'node' } });
});

const file = (name: string) => ({ name, size: 1, blake3: 'ab'.repeat(32) });
const FILES = ['p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'].map((name) => `cache/s-t01000-1/${name}`);

describe('wrong is', () => {
  test.each<[string, (receipt: Receipt) => unknown, string]>([
    ['no object', () => 7, 'is no receipt: it: Invalid input: expected object, received number'],
    [
      'one without a proof',
      ({ proof: _, ...rest }) => rest,
      'is no receipt: proof: Invalid input: expected string, received undefined',
    ],
    ['a short seed', (receipt) => ({ ...receipt, seed: 'ab' }), 'is no receipt: seed: must be 64 hex digits'],
    ['another sector’s', (receipt) => ({ ...receipt, sector: 't01000/2' }), 'is of t01000/2'],
    [
      'a name twice',
      (receipt) => ({ ...receipt, files: [...receipt.files, ...receipt.files] }),
      'names sealed/s-t01000-1 twice',
    ],
    [
      'a file that is not named',
      (receipt) => ({ ...receipt, files: receipt.files.filter(({ name }) => !name.endsWith('/t_aux')) }),
      'does not name cache/s-t01000-1/t_aux',
    ],
    [
      'a subtree that is not named',
      (receipt) => ({ ...receipt, size: '32GiB', files: ['sealed/s-t01000-1', ...FILES].map(file) }),
      'does not name cache/s-t01000-1/sc-02-data-tree-r-last-0.dat',
    ],
  ])('%s', async (_, change, what) => {
    await changeReceipt(node, SECTOR, change);
    expect(await found()).toBe(`receipt: ${NAME} ${what}`);
  });

  test.each([
    '../x',
    '/etc/passwd',
    'sealed/s-t01000-2',
    'sealed/s-t01000-1/x',
    'cache/s-t01000-1',
    'cache/s-t01000-1/',
    'cache/s-t01000-1/.',
    'cache/s-t01000-1/..',
    'cache/s-t01000-1/../s-t01000-2/p_aux',
    'cache/s-t01000-1/a/b',
    'cache/s-t01000-1/a\0b',
    'receipts/s-t01000-1.json',
    '',
  ])('the name %j', async (name) => {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, files: [...receipt.files, file(name)] }));
    expect(await found()).toBe(
      `receipt: ${NAME} names ${JSON.stringify(name)}, which is no file of ${SECTOR}`,
    );
  });

  test('what is no JSON, no plain file, or far too large', async () => {
    const path = receiptPath(node, SECTOR);
    await writeFile(path, '{"v": 1');
    expect(await found()).toBe(`receipt: ${NAME} is no JSON`);
    await writeFile(path, Buffer.alloc(2_000_000, ' '));
    expect(await found()).toBe(`receipt: ${NAME} is no receipt: it has 2000000 bytes`);
    await rename(path, join(root, 'receipt'));
    await symlink(join(root, 'receipt'), path);
    expect(await found()).toBe(`receipt: ${NAME} is a symbolic link, which is not followed`);
    await rm(path);
    await mkdir(path);
    expect(await found()).toBe(`receipt: ${NAME} is no plain file`);
  });

  test.each(['sealed', 'cache', 'cache/s-t01000-1'])('a link in the place of %s', async (name) => {
    await rename(join(node, name), join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), join(node, name));
    expect(await found()).toBe(`${name}: ${name} is no directory of its own`);
  });
});

describe('nothing is known of', () => {
  test('one that a newer sealflow has written', async () => {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, v: 2 }));
    await expect(look()).rejects.toThrow(`${receiptPath(node, SECTOR)} has version 2, this sealflow knows 1`);
  });

  test('one that is gone since the node was listed', async () => {
    await rm(join(node, 'receipts'), { recursive: true });
    await expect(look()).rejects.toThrow(
      `${receiptPath(node, SECTOR)} is not there any more: is the node still mounted?`,
    );
  });
});
