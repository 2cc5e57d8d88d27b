/**
 * Unfinished copies on a storage node: a directory each below `.sealflow`, named after the sector, with a note of whose it is and
 * how much room it takes. The directory is the reservation: whoever chooses a node counts what the copies there have still to
 * write. One that nobody has written into for an hour by the node's own clock is counted no more, so that a crash cannot keep
 * room for ever.
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
import { makeDirectory, refuseOther } from './make-directory.js';

/** Name of the note in the directory of a copy. */
const NOTE = 'copy.json';

const noteSchema = z.object({
  v: z.int(),
  /** Random ID of the group's directory: two groups may copy sectors of one name. */
  group: z.string(),
  sector: z.string(),
  /** Bytes that the whole copy takes on disk. */
  bytes: z.number().min(0),
  host: z.string(),
  at: z.string(),
});
type Note = z.infer<typeof noteSchema>;

export interface StagingDirectory {
  directory: string;
  /** Undefined for what is not understood: another program's, or a newer sealflow's. */
  note: Note | undefined;
  /** Bytes that its files take on disk. */
  used: number;
  /** When it was last written into, in ms since 1970 by the clock that gives the node's files their times. */
  writtenAt: number;
}

const STALE_MS = 3_600_000;

/** Whose copies are meant. */
export interface Owner {
  group: OpenGroup;
  sector: SectorId;
}

/**
 * Reserves room for a copy.
 * @param bytes that it will take on disk
 * @returns its directory, relative to the node
 * @throws errors of the file system; ENOENT when the node is not there, which must not come into being as a plain directory
 */
export async function reserveStaging(
  node: string,
  { group, sector }: Owner,
  bytes: number,
  host: string,
): Promise<string> {
  const root = join(node, stored.stagingRoot);
  await makeDirectory(root);
  const into = stored.stagingDirectory(sector, randomUUID());
  // Without its note nobody would know whose it is: so it gets its name with the note inside.
  const unnamed = join(root, `${NEW_PREFIX}${randomUUID()}`);
  await mkdir(unnamed);
  try {
    const at = new Date().toISOString();
    const note: Note = { v: CONTRACT_VERSION, group: group.id, sector: sectorName(sector), bytes, host, at };
    await writeJson(join(unnamed, NOTE), note);
    await rename(unnamed, join(node, into));
  } catch (error) {
    await removeTree(unnamed).catch(() => undefined);
    throw error;
  }
  await syncDirectory(root);
  return into;
}

const NEW_PREFIX = '.new-';

/** Gives a reservation back, and what was written there. */
export const releaseStaging = (node: string, into: string): Promise<void> =>
  remove(node, join(node, stored.stagingRoot, basename(into)));

/** Renamed first: half of a copy, perhaps without its note, would be nobody's. */
async function remove(node: string, directory: string): Promise<void> {
  const gone = join(node, stored.stagingRoot, `${GONE_PREFIX}${randomUUID()}`);
  await ifPresent(rename(directory, gone));
  await removeTree(gone);
}

const GONE_PREFIX = '.gone-';

/** All unfinished copies on a node, of whatever group. */
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

/** Whether nobody has written into it for so long that nobody will. */
export const isStale = ({ writtenAt }: StagingDirectory, now: number): boolean => now - writtenAt > STALE_MS;

/** Bytes that a copy has still to write. */
export const bytesLeft = ({ note, used }: StagingDirectory): number => Math.max(0, (note?.bytes ?? 0) - used);

/** Whether it is an unfinished copy of this very sector, of this very group. */
export const isOf =
  ({ group, sector }: Owner) =>
  ({ note }: StagingDirectory): boolean =>
    note?.group === group.id && note.sector === sectorName(sector);

/**
 * Deletes the sector's unfinished copies; files that have their final names keep their inodes.
 * @param only these, relative to the node; all if not given
 */
export async function removeStaging(node: string, owner: Owner, only?: ReadonlySet<string>): Promise<void> {
  for (const { directory } of (await listStaging(node)).filter(isOf(owner)))
    if (!only || only.has(relative(node, directory))) await remove(node, directory);
  await sweep(node);
}

const DAY_MS = 24 * 3_600_000;

/**
 * Deletes what other sectors of the group have left: copies of those that P6 or an abort has deleted on a host that did not see this
 * node, and that told so. Where the group's directory is not mounted nothing tells so. Another group's copies are never writtenAt, as
 * whether they are needed cannot be known here. What cannot be deleted stays: it is no fault of who comes by.
 */
export async function removeOrphans(node: string, group: OpenGroup): Promise<void> {
  const now = Date.now();
  for (const { directory, note, writtenAt } of await listStaging(node)) {
    const sector = note?.group === group.id ? parseSector(note.sector) : undefined;
    if (!sector || now - writtenAt < DAY_MS || (await exists(sectorDir(group, sector)))) continue;
    const isOver = (await exists(doneFile(group, sector))) || (await exists(abortedFile(group, sector)));
    if (isOver) await remove(node, directory).catch(() => undefined);
  }
  await sweep(node);
}

/** Deletes what deletions and reservations that were killed have left, whoever began them. */
async function sweep(node: string): Promise<void> {
  for (const path of await hidden(node, GONE_PREFIX)) await removeTree(path).catch(() => undefined);
  for (const path of await hidden(node, NEW_PREFIX)) {
    const [unnamed] = await inspectDirectory(path);
    if (unnamed && Date.now() - unnamed.writtenAt > DAY_MS) await removeTree(path).catch(() => undefined);
  }
}

async function hidden(node: string, prefix: string): Promise<string[]> {
  const root = join(node, stored.stagingRoot);
  const names = await namesIn(root);
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(root, name));
}

/** None when the directory is not there. @throws NotOursError when a symbolic link leads elsewhere */
async function namesIn(root: string): Promise<string[]> {
  if (!(await ifPresent(lstat(root)))) return [];
  await refuseOther(root);
  return (await ifPresent(readdir(root))) ?? [];
}
