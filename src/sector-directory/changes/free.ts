/**
 * Frees disk space of attempts that no longer count. Their directories are renamed first, so that an engine still
 * running there exits by itself (docs/engine-protocol.md, Lease). Files that an operator may want to read are
 * retained.
 */
import { join } from 'node:path';
import { lstat, readdir, rename, unlink } from '../../mounts/remote-fs.js';
import { ifPresent } from '../../files.js';
import { epochDir, goneAttemptName, type Attempt } from '../../paths.js';
import { isBefore, listAttempts, readResult, recordedFiles } from '../attempt.js';

/** Files of an attempt that are retained: who made it, for what, and how it ended. */
const RETAINED_FILES = ['job.json', 'log', 'error.json', 'result.json'];

/**
 * Frees the other attempts of a phase whose result is `counts`: those up to the epoch in force are superseded,
 * invalidated ones too.
 * @returns bytes freed; files that have other links free nothing
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
  // Invalidated ones keep their names, which show that layers have been reused once already.
  for (const attempt of invalidated) freed += await empty(attempt.directory, RETAINED_FILES);
  return freed;
}

/**
 * Frees the attempts before `next`, the new owner of its phase, that ended without a result. It needs nothing of
 * them but P1's recorded layers. Without this, a few crashes would use up the sector's reservation.
 * @returns bytes freed
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

/** Deletes an attempt's regular files except `retained`; anything else is left to P6, which reports it. */
async function empty(directory: string, retained: readonly string[]): Promise<number> {
  let freed = 0;
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    if (retained.includes(name)) continue;
    const path = join(directory, name);
    const stat = await ifPresent(lstat(path));
    if (!stat?.isFile()) continue;
    await ifPresent(unlink(path));
    if (stat.nlink === 1) freed += stat.blocks * 512;
  }
  return freed;
}
