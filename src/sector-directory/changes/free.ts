/**
 * Giving room back: what attempts have left that no longer count. Their names are taken away first, so that an engine that
 * still works there ends by itself (docs/engine-protocol.md, Lease); what people may want to read stays.
 */
import { join } from 'node:path';
import { lstat, readdir, rename, unlink } from '../../mounts/remote-fs.js';
import { ifPresent } from '../../files.js';
import { epochDir, goneAttemptName, type Attempt } from '../../paths.js';
import { isBefore, listAttempts, readResult, recordedFiles } from '../attempt.js';

/** What stays of an attempt: who made it, for what, and how it ended. */
const RETAINED_FILES = ['job.json', 'log', 'error.json', 'result.json'];

/**
 * When `counts` is the result of a phase: all other attempts of it up to the epoch in force are superseded, void ones too.
 * @returns bytes given back; files that others have linked give nothing.
 */
export async function freeSuperseded(
  sectorDirectory: string,
  counts: Attempt,
  inForce: number,
): Promise<number> {
  const { all, invalidated } = await listAttempts(sectorDirectory, counts.phase);
  let freed = 0;
  for (const attempt of all) {
    if (attempt.at !== counts.at && attempt.epoch <= inForce) freed += await retire(sectorDirectory, attempt);
  }
  // Void ones keep their name: whether layers have been lent before is told by it.
  for (const attempt of invalidated) freed += await empty(attempt.directory, RETAINED_FILES);
  return freed;
}

/**
 * When `next` has become the owner of its phase: those before it that ended without a result have nothing that it needs,
 * except for P1's recorded layers. Without this, a few crashes would use up what a sector has reserved.
 */
export async function freeBefore(sectorDirectory: string, next: Attempt): Promise<number> {
  let freed = 0;
  for (const attempt of (await listAttempts(sectorDirectory, next.phase)).all) {
    if (!isBefore(attempt, next) || (await readResult(attempt))) continue;
    if (next.phase === 'P1') freed += await empty(attempt.directory, await needed(attempt));
    else freed += await retire(sectorDirectory, attempt);
  }
  return freed;
}

const needed = async (attempt: Attempt): Promise<string[]> => [
  ...RETAINED_FILES,
  'progress.json',
  'layers.json',
  ...(await recordedFiles(attempt)).map(({ name }) => name),
];

async function retire(sectorDirectory: string, attempt: Attempt): Promise<number> {
  const gone = join(epochDir(sectorDirectory, attempt.epoch), goneAttemptName(attempt));
  await ifPresent(rename(attempt.directory, gone));
  return await empty(gone, RETAINED_FILES);
}

/** Deletes the plain files of an attempt but `keep`; whatever else is there is left to P6, which tells of it. */
async function empty(directory: string, keep: readonly string[]): Promise<number> {
  let freed = 0;
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    if (keep.includes(name)) continue;
    const path = join(directory, name);
    const stat = await ifPresent(lstat(path));
    if (!stat?.isFile()) continue;
    await ifPresent(unlink(path));
    if (stat.nlink === 1) freed += stat.blocks * 512;
  }
  return freed;
}
