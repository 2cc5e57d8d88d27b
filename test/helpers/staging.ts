/** Unfinished copies on a storage node, made as a worker makes them. */
import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenGroup } from '../../src/paths.js';
import { sectorOf } from '../../src/sector.js';
import { reserveStaging } from '../../src/storage/reservations.js';

/** ID of a group that is none of the test's. */
export const OTHER_GROUP = randomUUID();

export interface PartOptions {
  /** Bytes that the whole copy will take. */
  bytes?: number;
  /** Bytes that were written so far. */
  written?: number;
  /** Nobody has written into it for so many ms. */
  silentFor?: number;
}

/** @returns its directory */
export async function makePart(
  node: string,
  group: OpenGroup,
  sector: string,
  { bytes = 4096, written = 0, silentFor = 0 }: PartOptions = {},
): Promise<string> {
  const staging = await reserveStaging(node, { group, sector: sectorOf(sector) }, bytes, '10.0.0.9');
  const directory = join(node, staging);
  if (written > 0) await writeFile(join(directory, 'sealed'), Buffer.alloc(written, 1));
  if (silentFor > 0) await age(directory, silentFor, written > 0 ? ['copy.json', 'sealed'] : ['copy.json']);
  return directory;
}

/** Makes it look as if nobody had written into it for so long. */
export async function age(directory: string, ms: number, names: readonly string[]): Promise<void> {
  const then = new Date(Date.now() - ms);
  for (const path of [...names.map((name) => join(directory, name)), directory])
    await utimes(path, then, then);
}
