import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { sameAtRandom } from '../../../src/storage/random-read.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const MIB = 2 ** 20;
let a: string;
let b: string;
beforeEach(async () => {
  const directory = await temporaryDirectory();
  [a, b] = [join(directory, 'a'), join(directory, 'b')];
});

test('equal files are the same at any offsets', async () => {
  const bytes = Buffer.alloc(5 * MIB + 7, 'sealflow');
  for (const path of [a, b]) await writeFile(path, bytes);
  for (let round = 0; round < 20; round++) expect(await sameAtRandom(a, b, bytes.length)).toBe(true);
});

test('a file small enough is compared in full', async () => {
  await writeFile(a, Buffer.alloc(MIB, 1));
  for (const at of [0, 70_000, MIB - 1]) {
    await writeFile(b, Buffer.alloc(MIB, 1));
    const file = await open(b, 'r+');
    await file.write(Buffer.from([2]), 0, 1, at);
    await file.close();
    expect(await sameAtRandom(a, b, MIB)).toBe(false);
  }
});

test('a file of other bytes throughout is not the same', async () => {
  await writeFile(a, Buffer.alloc(3 * MIB, 1));
  await writeFile(b, Buffer.alloc(3 * MIB, 2));
  expect(await sameAtRandom(a, b, 3 * MIB)).toBe(false);
});

test('a shorter file is not the same', async () => {
  for (const path of [a, b]) await writeFile(path, Buffer.alloc(MIB, 1));
  await truncate(b, MIB - 1);
  expect(await sameAtRandom(a, b, MIB)).toBe(false);
});
