/** What lies on a storage node beside the sectors that sealflow has sealed. None of it is checked, and none is a fault. */
import { join } from 'node:path';
import { receiptSchema } from '../storage/receipt.js';
import { readJson } from '../files.js';
import { stored } from '../paths.js';
import { parseSectorFileName, sectorFileName, type SectorId } from '../sector.js';
import { namesIn } from './nodes.js';
import { UnreadableError } from './unreadable.js';

/** Paths relative to the node. */
export interface UnknownFiles {
  /** Below `sealed/` and `cache/`, and named by no receipt. */
  noReceipt: string[];
  /** Copies without a receipt: P5 is making them, they wait for their proof, or a P5 has left them. */
  unfinished: string[];
  /** In `receipts/`, with names that no receipt has. */
  noName: string[];
}

/** @throws what {@link unreadableReason} knows */
export async function unknownFilesOn(node: string): Promise<UnknownFiles> {
  const list = async (name: string): Promise<string[]> => (await namesIn(node, name)) ?? [];
  // Receipts last: P6 makes the other names first, and a sector that it finishes at this moment must not be reported.
  const [sealed, caches, parts] = [await list('sealed'), await list('cache'), await list(stored.stagingRoot)];
  const receipts = await list('receipts');
  const known = new Set(receipts.flatMap((name) => sectorFileNameOf(stored.sectorOfReceipt(name))));
  const inCaches = caches.filter((name) => known.has(name)).map((name) => unnamedIn(node, name));
  return {
    noReceipt: [
      ...sealed.filter((name) => !known.has(name)).map((name) => join('sealed', name)),
      ...caches.filter((name) => !known.has(name)).map((name) => join('cache', name)),
      ...(await Promise.all(inCaches)).flat(),
    ],
    unfinished: parts.map((name) => join(stored.stagingRoot, name)),
    noName: receipts.filter((name) => !stored.sectorOfReceipt(name)).map((name) => join('receipts', name)),
  };
}

const sectorFileNameOf = (sector: SectorId | undefined): string[] => (sector ? [sectorFileName(sector)] : []);

/** Files in a sector's cache that its receipt does not name. Of one whose receipt cannot be believed nothing is told twice. */
async function unnamedIn(node: string, name: string): Promise<string[]> {
  const sector = parseSectorFileName(name);
  if (!sector) return [];
  const json = await readJson(join(node, stored.receipt(sector))).catch(() => undefined);
  const receipt = receiptSchema.safeParse(json).data;
  if (!receipt) return [];
  const named = new Set(receipt.files.map((file) => file.name));
  const files = await namesIn(node, stored.cache(sector)).catch((error: unknown) => {
    // A link in the place of the directory: the sector's own report has told it.
    if (error instanceof UnreadableError) return undefined;
    throw error;
  });
  return (files ?? []).map((file) => join(stored.cache(sector), file)).filter((path) => !named.has(path));
}
