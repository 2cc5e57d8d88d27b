/**
 * Unfinished copies on a storage node. Each has a staging directory below `.sealflow`, named after the sector,
 * with a note of its owner and its size. The directory is the reservation: choosing a node counts what the copies
 * there still have to write. One that was not written to for an hour, by the node's own clock, is not counted, so
 * that a crash cannot hold room forever.
 */
import { randomUUID } from 'node:crypto';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { removeTree } from '../sector-directory/remove-tree.js';
import { CONTRACT_VERSION } from '../contract.js';
import { exists, ifPresent, readJson, syncDirectory, writeJson } from '../files.js';
import { lstat, mkdir, readdir, rename } from '../mounts/remote-fs.js';
import { abortedFile, doneFile, isPlainName, sectorDir, stored, type OpenGroup } from '../paths.js';
import { parseSector, sectorName, type SectorId } from '../sector.js';
import { DAY_MS } from '../units.js';
import { makeDirectory, refuseOther } from './make-directory.js';

/** Name of the note in a staging directory. */
const NOTE = 'copy.json';

const noteSchema = z.object({
  v: z.int(),
  /** Random ID of the group's directory: two groups may copy sectors of the same name. */
  group: z.string(),
  sector: z.string(),
  /** Bytes that the complete copy takes on disk. */
  bytes: z.number().min(0),
  host: z.string(),
  at: z.string(),
});
type Note = z.infer<typeof noteSchema>;

export interface StagingDirectory {
  directory: string;
  /** Undefined when it is missing or not valid: another program's directory, or a newer sealflow's. */
  note: Note | undefined;
  /** Bytes that its files take on disk. */
  used: number;
  /** When it was last written to, in ms since 1970 by the clock that sets the node's file times. */
  writtenAt: number;
}

const STALE_MS = 3_600_000;

/** The owner of a copy. */
export interface Owner {
  group: OpenGroup;
  sector: SectorId;
}

/**
 * Reserves room for a copy.
 * @param bytes that it will take on disk
 * @returns its staging directory, relative to the node
 * @throws errors of the file system; ENOENT when the node does not exist, which must not be created as a plain
 *   directory
 */
export async function reserveStaging(
  node: string,
  { group, sector }: Owner,
  bytes: number,
  host: string,
): Promise<string> {
  const root = join(node, stored.stagingRoot);
  await makeDirectory(root);
  const staging = stored.stagingDirectory(sector, randomUUID());
  // Without the note its owner would be unknown, so the directory gets its name only with the note inside.
  const unnamed = join(root, `${NEW_PREFIX}${randomUUID()}`);
  await mkdir(unnamed);
  try {
    const at = new Date().toISOString();
    const note: Note = { v: CONTRACT_VERSION, group: group.id, sector: sectorName(sector), bytes, host, at };
    await writeJson(join(unnamed, NOTE), note);
    await rename(unnamed, join(node, staging));
  } catch (error) {
    await removeTree(unnamed).catch(() => undefined);
    throw error;
  }
  await syncDirectory(root);
  return staging;
}

const NEW_PREFIX = '.new-';

/** Releases a reservation and deletes what was written there. */
export const releaseStaging = (node: string, staging: string): Promise<void> =>
  remove(node, join(node, stored.stagingRoot, basename(staging)));

/** Renames first: a half-deleted copy without its note would have no owner. */
async function remove(node: string, directory: string): Promise<void> {
  const gone = join(node, stored.stagingRoot, `${GONE_PREFIX}${randomUUID()}`);
  await ifPresent(rename(directory, gone));
  await removeTree(gone);
}

const GONE_PREFIX = '.gone-';

/** All unfinished copies on a node, of all groups. */
export async function listStaging(node: string): Promise<StagingDirectory[]> {
  const root = join(node, stored.stagingRoot);
  const names = (await namesIn(root)).filter(isPlainName);
  return (await Promise.all(names.map((name) => inspectDirectory(join(root, name))))).flat();
}

async function inspectDirectory(directory: string): Promise<StagingDirectory[]> {
  const top = await ifPresent(lstat(directory));
  if (!top?.isDirectory()) return [];
  const note = await readJson(join(directory, NOTE)).catch((error: unknown) => {
    if (!(error instanceof SyntaxError)) throw error;
  });
  const names = (await ifPresent(readdir(directory))) ?? [];
  const files = await Promise.all(names.map((name) => ifPresent(lstat(join(directory, name)))));
  const stats = files.filter((file) => file !== undefined);
  return [
    {
      directory,
      note: noteSchema.safeParse(note).data,
      used: stats.reduce((sum, { blocks }) => sum + blocks * 512, 0),
      writtenAt: Math.max(top.mtimeMs, ...stats.map(({ mtimeMs }) => mtimeMs)),
    },
  ];
}

/** Whether it was not written to for so long that its copy must have ended. */
export const isStale = ({ writtenAt }: StagingDirectory, now: number): boolean => now - writtenAt > STALE_MS;

/** Bytes that a copy still has to write. */
export const bytesLeft = ({ note, used }: StagingDirectory): number => Math.max(0, (note?.bytes ?? 0) - used);

/** Whether it is an unfinished copy of the owner's sector in the owner's group. */
export const isOf =
  ({ group, sector }: Owner) =>
  ({ note }: StagingDirectory): boolean =>
    note?.group === group.id && note.sector === sectorName(sector);

/**
 * Deletes the sector's unfinished copies; files that have final names remain as hard links.
 * @param only these, relative to the node; default: all
 */
export async function removeStaging(node: string, owner: Owner, only?: ReadonlySet<string>): Promise<void> {
  for (const { directory } of (await listStaging(node)).filter(isOf(owner)))
    if (!only || only.has(relative(node, directory))) await remove(node, directory);
  await sweep(node);
}

/**
 * Deletes orphaned copies of the group's other sectors: those that P6 or an abort has finished on a host that did
 * not have this node mounted. They must be recorded as done or aborted, so nothing is deleted while the group's
 * directory is not mounted. Another group's copies are never touched: whether they are needed is not known here.
 * Errors are ignored: they must not fail the task of another sector.
 */
export async function removeOrphans(node: string, group: OpenGroup): Promise<void> {
  const now = Date.now();
  for (const { directory, note, writtenAt } of await listStaging(node)) {
    const sector = note?.group === group.id ? parseSector(note.sector) : undefined;
    if (!sector || now - writtenAt < DAY_MS || (await exists(sectorDir(group, sector)))) continue;
    const isFinished = (await exists(doneFile(group, sector))) || (await exists(abortedFile(group, sector)));
    if (isFinished) await remove(node, directory).catch(() => undefined);
  }
  await sweep(node);
}

/** Deletes what killed deletions and reservations have left, of any owner. */
async function sweep(node: string): Promise<void> {
  for (const path of await hiddenPaths(node, GONE_PREFIX)) await removeTree(path).catch(() => undefined);
  for (const path of await hiddenPaths(node, NEW_PREFIX)) {
    const [unnamed] = await inspectDirectory(path);
    if (unnamed && Date.now() - unnamed.writtenAt > DAY_MS) await removeTree(path).catch(() => undefined);
  }
}

async function hiddenPaths(node: string, prefix: string): Promise<string[]> {
  const root = join(node, stored.stagingRoot);
  const names = await namesIn(root);
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(root, name));
}

/**
 * Names in a directory; none if it does not exist.
 * @throws NotOursError when it is a symbolic link or not a directory
 */
async function namesIn(root: string): Promise<string[]> {
  if (!(await ifPresent(lstat(root)))) return [];
  await refuseOther(root);
  return (await ifPresent(readdir(root))) ?? [];
}
