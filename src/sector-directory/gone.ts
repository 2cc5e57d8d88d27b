/**
 * Deletes a sector's directory that was renamed away, so that no late process finds it; resumes a killed deletion.
 * The engines' logs are kept first, all of them: another name shows that this was done, so that a resumed deletion
 * does not replace them by what is left.
 */
import { join } from 'node:path';
import { isErrno } from '../files.js';
import { removeTree } from './remove-tree.js';
import { readdir, rename, rm } from '../mounts/remote-fs.js';
import {
  cacheDir,
  deletingName,
  isDeletingName,
  isGoneName,
  sealedLink,
  type GroupDirectory,
} from '../paths.js';
import { ENGINE_PHASE_IDS } from '../phases.js';
import type { SectorId } from '../sector.js';
import { listAttempts } from './attempt.js';

/** P6's journal in the directory that it renames away: lets P6 resume, and becomes the sector's `done/`. */
export const JOURNAL = 'clean.json';

/** An attempt's file that its engine writes to. */
export const LOG = 'log';

/** The directories that a claim's `renameAway` has left of the sector. */
export async function goneDirectories(group: GroupDirectory, sector: SectorId): Promise<string[]> {
  const cache = cacheDir(group);
  return (await readdir(cache)).filter((name) => isGoneName(sector, name)).map((name) => join(cache, name));
}

export interface Deletion {
  /** Called before each file; an error from it ends the deletion, which can be repeated. */
  between: () => void;
  /**
   * Keeps the logs of directories of which nothing is deleted yet. An error from it ends the deletion.
   * @param hasBegun whether another directory of the sector was already being deleted: its logs are kept
   */
  keepLogs: (directories: string[], hasBegun: boolean) => Promise<void>;
  /** Selects directories; default: all. */
  isOurs?: (gone: string) => Promise<boolean>;
}

/** Deletes the sector's renamed directories. */
export async function deleteGone(
  group: GroupDirectory,
  sector: SectorId,
  { between, keepLogs, isOurs = () => Promise.resolve(true) }: Deletion,
): Promise<void> {
  await rm(sealedLink(group, sector), { force: true });
  const listOurs = async (): Promise<string[]> => {
    const all = await goneDirectories(group, sector);
    const ours = await Promise.all(all.map(isOurs));
    return all.filter((_, i) => ours[i]).sort();
  };
  const ours = await listOurs();
  const whole = ours.filter((gone) => !isDeletingName(gone));
  if (whole.length > 0) await keepLogs(whole, whole.length < ours.length);
  for (const gone of whole) await markDeleting(gone);
  for (const gone of await listOurs()) await removeTree(gone, { between });
}

/** On a full disk even a name may find no room; then the deletion goes on without it. */
const markDeleting = (gone: string): Promise<void> =>
  rename(gone, deletingName(gone)).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error;
  });

/** Frees what the attempts in a renamed directory take, but for their logs. The journal next to the epochs stays. */
export async function freeAttempts(gone: string): Promise<void> {
  for (const phase of ENGINE_PHASE_IDS) {
    const { all, invalidated } = await listAttempts(gone, phase);
    for (const attempt of [...all, ...invalidated]) await removeTree(attempt.directory, { except: LOG });
  }
}
