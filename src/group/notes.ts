/**
 * What stays in a group's directory when a sector's own is deleted: `done/` after P6, a note after an abort. Both tell how to go on with
 * a deletion that was interrupted, and keep a late task from making the sector again.
 */
import { z } from 'zod';
import { readable, refuseNewer } from '../contract.js';
import { readJson, writeJson } from '../files.js';
import { abortedFile, doneFile, type GroupDirectory } from '../paths.js';
import { sectorName, type SectorId } from '../sector.js';
import { isOfSameRun } from '../sector-directory/epochs.js';

/** Written into the sector's directory before that is renamed away, and then as `done/`. */
const journalSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  sector: z.string(),
  storage: z.object({ node: z.string(), sealed: z.string(), cache: z.string(), receipt: z.string() }),
  commR: z.string(),
  /** Bytes on disk that the directory held. */
  bytes: z.number(),
  host: z.string(),
  at: z.string(),
});
export type Journal = z.infer<typeof journalSchema>;

/**
 * P6's journal: in a sector's directory, or as `done/`.
 * @returns undefined when there is none
 * @throws TooNewError: what a newer sealflow has cleaned, or is cleaning, must not be cleaned once more
 */
export async function readJournal(path: string): Promise<Journal | undefined> {
  const journal = await readJson(path);
  refuseNewer(path, journal);
  return journalSchema.safeParse(journal).data;
}

/** Behind this nothing of the sector can be lost any more. */
export const writeDone = (group: GroupDirectory, sector: SectorId, journal: Journal): Promise<void> =>
  writeJson(doneFile(group, sector), journal);

const abortNoteSchema = z.object({
  v: z.int(),
  sector: z.string(),
  /** Run and claim, as in epoch.json. */
  owner: z.string(),
  /** Runs that have aborted the sector before: none of them may bring it back. */
  earlier: z.array(z.string()).default([]),
  why: z.string(),
  /** Bytes on disk that the directory held. */
  bytes: z.number(),
  host: z.string(),
  at: z.string(),
});
export type AbortNote = z.infer<typeof abortNoteSchema>;

/** The note of an abort, where this very run was aborted by it or before it. */
export async function abortNoteOf(
  group: GroupDirectory,
  sector: SectorId,
  owner: string,
): Promise<AbortNote | undefined> {
  const note = await readAbortNote(group, sector);
  return note && [note.owner, ...note.earlier].some((other) => isOfSameRun(other, owner)) ? note : undefined;
}

/** Writes the note, or keeps the one of this run that knows of more bytes; the names of runs that aborted before stay. */
export async function keepAbortNote(
  group: GroupDirectory,
  sector: SectorId,
  own: Pick<AbortNote, 'owner' | 'why' | 'bytes' | 'host'>,
): Promise<void> {
  const known = await readAbortNote(group, sector);
  const isOwn = known !== undefined && isOfSameRun(known.owner, own.owner);
  if (isOwn && known.bytes >= own.bytes) return;
  const earlier = known ? [...known.earlier, ...(isOwn ? [] : [known.owner])] : [];
  const at = new Date().toISOString();
  await writeJson(abortedFile(group, sector), { v: 1, sector: sectorName(sector), ...own, earlier, at });
}

const readAbortNote = async (group: GroupDirectory, sector: SectorId): Promise<AbortNote | undefined> =>
  abortNoteSchema.safeParse(await readJson(abortedFile(group, sector))).data;
