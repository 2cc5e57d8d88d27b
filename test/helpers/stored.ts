/** Sectors on a storage node, put there without sealing them: as many as a test needs, in a second. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Receipt } from '../../src/storage/receipt.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import type { SectorSize } from '../../src/phases.js';
import { run } from './commands.js';
import { readReceipt, receiptPath } from './on-disk.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/store-sectors.mjs', import.meta.url));

export interface Stored {
  size?: SectorSize;
  /** Number of the first sector. */
  first?: number;
  /** Bytes of each replica; 2048 if not given. */
  bytes?: number;
}

/** Stores t01000/1, t01000/2, … on a node, which is made. @returns the node */
export async function storeSectors(
  node: string,
  count: number,
  { size = '2KiB', first = 1, bytes = 2048 }: Stored = {},
): Promise<string> {
  await mkdir(node, { recursive: true });
  const fixture = ['env', `FIXTURE_BYTES=${bytes}`, process.execPath, PROGRAM] as const;
  await run(...fixture, node, size, String(first), String(count));
  return node;
}

/** The path of a stored sector's file: `sealed`, `p_aux`, … */
export function storedFile(node: string, sector: string, name: string): string {
  const own = sectorFileName(sectorOf(sector));
  return name === 'sealed' ? join(node, 'sealed', own) : join(node, 'cache', own, name);
}

/** Changes the contents of a receipt. */
export async function changeReceipt(
  node: string,
  sector: string,
  change: (receipt: Receipt) => unknown,
): Promise<void> {
  const receipt = await readReceipt(node, sector);
  await writeFile(receiptPath(node, sector), JSON.stringify(change(receipt)));
}
