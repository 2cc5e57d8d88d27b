/** Reads attempts from disk. */
import { join } from 'node:path';
import type { z } from 'zod';
import { refuseNewer } from '../contract.js';
import { ifPresent, readJson } from '../files.js';
import { readdir } from '../mounts/remote-fs.js';
import {
  attemptDir,
  epochDir,
  formatAt,
  parseAnyAttempt,
  parseAttempt,
  parseEpoch,
  parseInvalidatedAttempt,
  invalidatedName,
  type Attempt,
  type AttemptName,
} from '../paths.js';
import type { EnginePhaseId } from '../phases.js';
import {
  ENGINE_PROTOCOL,
  errorSchema,
  jobSchema,
  layersSchema,
  resultSchema,
  type EngineError,
  type EngineResult,
  type FileDigest,
} from '../engines/protocol.js';

export interface Attempts {
  /** Of all epochs, lowest first. The last one of the epoch in force owns the phase. */
  all: Attempt[];
  /** Those that a step back has invalidated, lowest first. */
  invalidated: Attempt[];
  /** The number of the next attempt of an epoch: retired attempts keep their numbers. */
  nextNumber: (epoch: number) => number;
}

/**
 * Lists the attempts of one phase. List and next number come from the same directory reads: a number from a later
 * read could come after an attempt that is not in the list.
 */
export async function listAttempts(sectorDirectory: string, phase: EnginePhaseId): Promise<Attempts> {
  const epochs = await epochsOf(sectorDirectory);
  const all: Attempt[] = [];
  const invalidated: Attempt[] = [];
  const highest = new Map<number, number>();
  for (const epoch of epochs.sort((a, b) => a - b)) {
    const names = (await ifPresent(readdir(epochDir(sectorDirectory, epoch)))) ?? [];
    const numbers = (parse: typeof parseAttempt): number[] =>
      names
        .map((name) => parse(epoch, name))
        .filter((name) => name?.phase === phase)
        .map((name) => name?.number ?? 0);
    highest.set(epoch, Math.max(0, ...numbers(parseAnyAttempt)));
    for (const number of numbers(parseAttempt).sort((a, b) => a - b)) {
      const at = formatAt({ epoch, phase, number });
      all.push({ epoch, phase, number, at, directory: attemptDir(sectorDirectory, at) });
    }
    for (const number of numbers(parseInvalidatedAttempt).sort((a, b) => a - b)) {
      const name = { epoch, phase, number };
      const directory = join(epochDir(sectorDirectory, epoch), invalidatedName(name));
      invalidated.push({ ...name, at: formatAt(name), directory });
    }
  }
  return { all, invalidated, nextNumber: (epoch) => (highest.get(epoch) ?? 0) + 1 };
}

/** An attempt with the name that its directory has now: `1/P2-3`, `1/invalidated-P2-3`, `1/gone-P2-3`. */
export interface AnyAttempt extends AttemptName {
  directory: string;
  name: string;
}

/** The attempts of all phases and epochs, retired ones included, by epoch, phase and number. */
export async function everyAttempt(sectorDirectory: string): Promise<AnyAttempt[]> {
  const attempts: AnyAttempt[] = [];
  for (const epoch of await epochsOf(sectorDirectory)) {
    const directory = epochDir(sectorDirectory, epoch);
    for (const name of (await ifPresent(readdir(directory))) ?? []) {
      const attempt = parseAnyAttempt(epoch, name);
      if (attempt) attempts.push({ ...attempt, directory: join(directory, name), name: `${epoch}/${name}` });
    }
  }
  return attempts.sort((a, b) => a.epoch - b.epoch || a.phase.localeCompare(b.phase) || a.number - b.number);
}

/** A P5 attempt and where it copies to. */
export interface CopyOfAttempt extends AttemptName {
  /** The node's directory on the attempt's host; its last component is the node's name on every host. */
  node: string;
  /** Relative to the node. */
  staging: string;
}

/** All copies that P5 ever started, including those of superseded and invalidated attempts. */
export async function copiesOf(sectorDirectory: string): Promise<CopyOfAttempt[]> {
  const copies: CopyOfAttempt[] = [];
  for (const { epoch, phase, number, directory } of await everyAttempt(sectorDirectory)) {
    if (phase !== 'P5') continue;
    const copy = (await readJob({ directory }))?.copy;
    if (copy) copies.push({ epoch, phase, number, ...copy });
  }
  return copies;
}

/** Whether `a` comes before `b`: by epoch, then by number. */
export const isBefore = (a: AttemptName, b: AttemptName): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.number < b.number);

const epochsOf = async (sectorDirectory: string): Promise<number[]> =>
  ((await ifPresent(readdir(sectorDirectory))) ?? [])
    .map(parseEpoch)
    .filter((number) => number !== undefined);

/** @returns undefined when job.json is missing or not valid */
export const readJob = (attempt: Pick<Attempt, 'directory'>) => read(attempt, 'job.json', jobSchema);

/** The input hash that the attempt was made for; undefined when job.json is missing or not valid. */
export const inputHashOf = async (attempt: Attempt): Promise<string | undefined> =>
  (await readJob(attempt))?.inputHash;

export const readResult = (attempt: Pick<Attempt, 'directory'>): Promise<EngineResult | undefined> =>
  read(attempt, 'result.json', resultSchema);

export const readError = (attempt: Pick<Attempt, 'directory'>): Promise<EngineError | undefined> =>
  read(attempt, 'error.json', errorSchema);

/** The files that P1 has recorded as complete. */
export const recordedFiles = async (attempt: Pick<Attempt, 'directory'>): Promise<FileDigest[]> =>
  (await read(attempt, 'layers.json', layersSchema))?.files ?? [];

// These files are renamed into place when complete. One that does not match its schema is another program's and
// counts as missing. One of a newer sealflow does not: that version's engine may be running there.
async function read<T>(
  { directory }: Pick<Attempt, 'directory'>,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(directory, name);
  const value = await readJson(path).catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  });
  refuseNewer(path, value, ENGINE_PROTOCOL);
  return schema.safeParse(value).data;
}
