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

export interface Part {
  directory: string;
  /** Undefined for what is not understood: another program's, or a newer sealflow's. */
  note: Note | undefined;
  /** Bytes that its files take on disk. */
  used: number;
  /** When it was last written into, in ms since 1970 by the clock that gives the node's files their times. */
  touched: number;
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
export async function reserve(
  node: string,
  { group, sector }: Owner,
  bytes: number,
  host: string,
): Promise<string> {
  const parts = join(node, stored.parts);
  await makeDirectory(parts);
  const into = stored.part(sector, randomUUID());
  // Without its note nobody would know whose it is: so it gets its name with the note inside.
  const unnamed = join(parts, `${UNNAMED}${randomUUID()}`);
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
  await syncDirectory(parts);
  return into;
}

const UNNAMED = '.new-';

/** Gives a reservation back, and what was written there. */
export const giveBack = (node: string, into: string): Promise<void> =>
  remove(node, join(node, stored.parts, basename(into)));

/** Renamed first: half of a copy, perhaps without its note, would be nobody's. */
async function remove(node: string, directory: string): Promise<void> {
  const gone = join(node, stored.parts, `${GONE}${randomUUID()}`);
  await ifPresent(rename(directory, gone));
  await removeTree(gone);
}

const GONE = '.gone-';

/** All unfinished copies on a node, of whatever group. */
export async function listParts(node: string): Promise<Part[]> {
  const parts = join(node, stored.parts);
  const names = (await namesIn(parts)).filter(isPlainName);
  return (await Promise.all(names.map((name) => lookAt(join(parts, name))))).flat();
}

async function lookAt(directory: string): Promise<Part[]> {
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
      touched: Math.max(top.mtimeMs, ...stats.map(({ mtimeMs }) => mtimeMs)),
    },
  ];
}

/** Whether nobody has written into it for so long that nobody will. */
export const isStale = ({ touched }: Part, now: number): boolean => now - touched > STALE_MS;

/** Bytes that a copy has still to write. */
export const stillToWrite = ({ note, used }: Part): number => Math.max(0, (note?.bytes ?? 0) - used);

/** Whether it is an unfinished copy of this very sector, of this very group. */
export const isOf =
  ({ group, sector }: Owner) =>
  ({ note }: Part): boolean =>
    note?.group === group.id && note.sector === sectorName(sector);

/**
 * Deletes the sector's unfinished copies; files that have their final names keep their inodes.
 * @param only these, relative to the node; all if not given
 */
export async function removeParts(node: string, owner: Owner, only?: ReadonlySet<string>): Promise<void> {
  for (const { directory } of (await listParts(node)).filter(isOf(owner)))
    if (!only || only.has(relative(node, directory))) await remove(node, directory);
  await sweep(node);
}

const DAY_MS = 24 * 3_600_000;

/**
 * Deletes what other sectors of the group have left: copies of those that P6 or an abort has deleted on a host that did not see this
 * node, and that told so. Where the group's directory is not mounted nothing tells so. Another group's copies are never touched, as
 * whether they are needed cannot be known here. What cannot be deleted stays: it is no fault of who comes by.
 */
export async function removeOrphans(node: string, group: OpenGroup): Promise<void> {
  const now = Date.now();
  for (const { directory, note, touched } of await listParts(node)) {
    const sector = note?.group === group.id ? parseSector(note.sector) : undefined;
    if (!sector || now - touched < DAY_MS || (await exists(sectorDir(group, sector)))) continue;
    const told = (await exists(doneFile(group, sector))) || (await exists(abortedFile(group, sector)));
    if (told) await remove(node, directory).catch(() => undefined);
  }
  await sweep(node);
}

/** Deletes what deletions and reservations that were killed have left, whoever began them. */
async function sweep(node: string): Promise<void> {
  for (const path of await hidden(node, GONE)) await removeTree(path).catch(() => undefined);
  for (const path of await hidden(node, UNNAMED)) {
    const [unnamed] = await lookAt(path);
    if (unnamed && Date.now() - unnamed.touched > DAY_MS) await removeTree(path).catch(() => undefined);
  }
}

async function hidden(node: string, prefix: string): Promise<string[]> {
  const parts = join(node, stored.parts);
  const names = await namesIn(parts);
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(parts, name));
}

/** None when the directory is not there. @throws NotOursError when a symbolic link leads elsewhere */
async function namesIn(parts: string): Promise<string[]> {
  if (!(await ifPresent(lstat(parts)))) return [];
  await refuseOther(parts);
  return (await ifPresent(readdir(parts))) ?? [];
}
