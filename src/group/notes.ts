/**
 * What remains in a group's directory after a sector's own directory is deleted: `done/` after P6, a note after
 * an abort. Both allow an interrupted deletion to be resumed, and keep a late task from creating the sector
 * again.
 */
import { z } from 'zod';
import { readable, refuseNewer } from '../contract.js';
import { readJson, writeJson } from '../files.js';
import { abortedFile, doneFile, type GroupDirectory } from '../paths.js';
import { sectorName, type SectorId } from '../sector.js';
import { isOfSameRun } from '../sector-directory/epochs.js';

/** Written to the sector's directory before that is renamed away, and then to `done/`. */
const journalSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  sector: z.string(),
  storage: z.object({ node: z.string(), sealed: z.string(), cache: z.string(), receipt: z.string() }),
  commR: z.string(),
  /** Bytes on disk that the directory used. */
  bytes: z.number(),
  host: z.string(),
  at: z.string(),
});
export type Journal = z.infer<typeof journalSchema>;

/**
 * Reads P6's journal from a sector's directory or from `done/`.
 * @returns undefined when there is none
 * @throws TooNewError: what a newer sealflow has cleaned, or is cleaning, must not be cleaned again
 */
export async function readJournal(path: string): Promise<Journal | undefined> {
  const journal = await readJson(path);
  refuseNewer(path, journal);
  return journalSchema.safeParse(journal).data;
}

/** Records that the sector is complete: from here on a crash cannot lose anything of it. */
export const writeDone = (group: GroupDirectory, sector: SectorId, journal: Journal): Promise<void> =>
  writeJson(doneFile(group, sector), journal);

const abortNoteSchema = z.object({
  v: z.int(),
  sector: z.string(),
  /** Run and claim, as in epoch.json. */
  owner: z.string(),
  /** Runs that aborted the sector earlier: none of them may create it again. */
  earlier: z.array(z.string()).default([]),
  why: z.string(),
  /** Bytes on disk that the directory used. */
  bytes: z.number(),
  host: z.string(),
  at: z.string(),
});
export type AbortNote = z.infer<typeof abortNoteSchema>;

/** The abort note of a sector, if it covers this run: as the latest aborted run or an earlier one. */
export async function abortNoteOf(
  group: GroupDirectory,
  sector: SectorId,
  owner: string,
): Promise<AbortNote | undefined> {
  const note = await readAbortNote(group, sector);
  return note && [note.owner, ...note.earlier].some((other) => isOfSameRun(other, owner)) ? note : undefined;
}

/** Writes the note, unless this run has one with at least as many bytes. Retains earlier aborted runs. */
export async function keepAbortNote(
  group: GroupDirectory,
  sector: SectorId,
  own: Pick<AbortNote, 'owner' | 'why' | 'bytes' | 'host'>,
): Promise<void> {
  const existing = await readAbortNote(group, sector);
  const isOwn = existing !== undefined && isOfSameRun(existing.owner, own.owner);
  if (isOwn && existing.bytes >= own.bytes) return;
  const earlier = existing ? [...existing.earlier, ...(isOwn ? [] : [existing.owner])] : [];
  const at = new Date().toISOString();
  await writeJson(abortedFile(group, sector), { v: 1, sector: sectorName(sector), ...own, earlier, at });
}

const readAbortNote = async (group: GroupDirectory, sector: SectorId): Promise<AbortNote | undefined> =>
  abortNoteSchema.safeParse(await readJson(abortedFile(group, sector))).data;
