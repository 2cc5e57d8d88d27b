/** Looking at what sealing has left on disks. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect } from 'vitest';
import type { Receipt } from '../../src/storage/receipt.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { listStaging } from '../../src/storage/reservations.js';
import type { Group } from './group.js';
import { lotusFiles } from './lotus-layout.js';

export const readJsonFile = async <T>(path: string): Promise<T> =>
  JSON.parse(await readFile(path, 'utf8')) as T;

/** Names of all files below a directory, relative to it, sorted; what is taken away meanwhile is left out. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name];
      const below = await filesBelow(join(directory, entry.name)).catch(nothingIfGone);
      return below.map((name) => join(entry.name, name));
    }),
  );
  return names.flat().sort();
}

/** A recursive `readdir` of Node fails as a whole when one directory goes while it lists. */
function nothingIfGone(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}

export const inodeOf = async (path: string): Promise<number> => (await lstat(path)).ino;

export const receiptPath = (node: string, sector: string): string =>
  join(node, 'receipts', `${sectorFileName(sectorOf(sector))}.json`);

export const readReceipt = (node: string, sector: string): Promise<Receipt> =>
  readJsonFile(receiptPath(node, sector));

/** Asks an engine about a receipt, in a process of its own. */
export function verifyReceipt(
  [program = '', ...first]: readonly string[],
  receipt: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; said: unknown }> {
  return new Promise((resolve) => {
    execFile(program, [...first, 'verify', receipt, '--json'], { env }, (error, stdout) => {
      resolve({ code: Number(error?.code ?? 0), said: JSON.parse(stdout || 'null') });
    });
  });
}

/** Checks that the storage node holds just these sectors, whole and in the layout that lotus, curio and venus read. */
export async function expectStored(node: string, sectors: readonly string[]): Promise<void> {
  const expected = await Promise.all(sectors.map((sector) => expectSector(node, sector)));
  expect(await filesBelow(node)).toEqual(expected.flat().sort());
}

/** Checks a sector's files against its receipt. @returns their names */
async function expectSector(node: string, sector: string): Promise<string[]> {
  const name = sectorFileName(sectorOf(sector));
  const receipt = await readReceipt(node, sector);
  expect(receipt).toMatchObject({ v: 1, sector, node: node.split('/').at(-1) });
  const names = receipt.files.map((file) => file.name);
  expect([...names].sort()).toEqual(lotusFiles(receipt.size, name));
  for (const file of receipt.files) {
    const bytes = await readFile(join(node, file.name));
    expect({ size: bytes.length, blake3: bytesToHex(blake3(bytes)) }).toEqual({
      size: file.size,
      blake3: file.blake3,
    });
  }
  return [...names, `receipts/${name}.json`];
}

/** Checks that of the sectors nothing is left in the group's directory but what P6 leaves; logs only where engines have written some. */
export async function expectCleaned(
  { directory: { root, subdirectory } }: Group,
  sectors: readonly string[],
): Promise<void> {
  const done = sectors.map((sector) => `nfs/${subdirectory}/done/${sectorFileName(sectorOf(sector))}.json`);
  // What P1 and P2 took is learned of all sectors, and stays.
  const left = (await filesBelow(root)).filter(
    (name) =>
      !done.includes(name.replace(/\.logs\.gz$/, '.json')) &&
      !name.startsWith(`nfs/${subdirectory}/durations/`),
  );
  expect(left).toEqual(['sealflow.json']);
  for (const note of done) expect(existsSync(join(root, note))).toBe(true);
  expect(await readdir(join(root, 'nfs', subdirectory, 'cache'))).toEqual([]);
}

/** Checks that no unfinished copies lie on the storage node. */
export async function expectNoParts(node: string): Promise<void> {
  const parts = join(node, '.sealflow');
  expect(existsSync(parts) ? await readdir(parts) : []).toEqual([]);
}

/** Directories of the unfinished copies of a sector on a storage node. */
export async function partsOf(node: string, sector: string): Promise<string[]> {
  const parts = await listStaging(node);
  return parts.filter(({ note }) => note?.sector === sector).map(({ directory }) => directory);
}
