/** An attempt as it lies on disk. */
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { ifPresent, readJson } from '../files.js';
import {
  attemptDir,
  epochDir,
  formatAt,
  parseAnyAttempt,
  parseAttempt,
  parseAt,
  parseEpoch,
  voidName,
  type AttemptName,
} from '../paths.js';
import type { EnginePhaseId } from '../phases.js';
import {
  errorSchema,
  jobSchema,
  layersSchema,
  resultSchema,
  type EngineError,
  type EngineResult,
} from './protocol.js';

export interface Attempt extends AttemptName {
  /** `2/P2-3` */
  at: string;
  directory: string;
}

/** All attempts of one phase in all epochs, lowest first. The last one of the highest epoch owns the phase. */
export async function listAttempts(sectorDirectory: string, phase: EnginePhaseId): Promise<Attempt[]> {
  const epochs = ((await ifPresent(readdir(sectorDirectory))) ?? [])
    .map(parseEpoch)
    .filter((number) => number !== undefined);
  const found = await Promise.all(
    epochs.map(async (epoch) => {
      const names = (await ifPresent(readdir(epochDir(sectorDirectory, epoch)))) ?? [];
      return names.map((name) => parseAttempt(epoch, name)).filter((attempt) => attempt?.phase === phase);
    }),
  );
  return found
    .flat()
    .filter((attempt) => attempt !== undefined)
    .sort((a, b) => a.epoch - b.epoch || a.number - b.number)
    .map((attempt) => attemptAt(sectorDirectory, formatAt(attempt), attempt));
}

/** The highest number that was ever given in an epoch, to retired attempts too; 0 when none was. */
export async function highestNumber(
  sectorDirectory: string,
  epoch: number,
  phase: EnginePhaseId,
): Promise<number> {
  const names = (await ifPresent(readdir(epochDir(sectorDirectory, epoch)))) ?? [];
  const numbers = names
    .map((name) => parseAnyAttempt(epoch, name))
    .filter((attempt) => attempt?.phase === phase)
    .map((attempt) => attempt?.number ?? 0);
  return Math.max(0, ...numbers);
}

/** Takes an attempt's result out of the count; does nothing when that was done before. */
export async function voidAttempt(sectorDirectory: string, at: string): Promise<void> {
  const name = parseAt(at);
  const voided = join(epochDir(sectorDirectory, name.epoch), voidName(name));
  await ifPresent(rename(attemptDir(sectorDirectory, at), voided));
}

const attemptAt = (sectorDirectory: string, at: string, name: AttemptName): Attempt => ({
  ...name,
  at,
  directory: attemptDir(sectorDirectory, at),
});

/** The input hash that the attempt was made for; undefined when job.json cannot be understood. */
export async function inputHashOf(attempt: Attempt): Promise<string | undefined> {
  return (await read(attempt, 'job.json', jobSchema))?.inputHash;
}

export const readResult = (attempt: Pick<Attempt, 'directory'>): Promise<EngineResult | undefined> =>
  read(attempt, 'result.json', resultSchema);

export const readError = (attempt: Pick<Attempt, 'directory'>): Promise<EngineError | undefined> =>
  read(attempt, 'error.json', errorSchema);

/** How many files P1 has finished for good. */
export async function recordedLayers(attempt: Pick<Attempt, 'directory'>): Promise<number> {
  return (await read(attempt, 'layers.json', layersSchema))?.files.length ?? 0;
}

// These files get their names only when they are whole; what does not fit its schema is another program's, and means
// the same as nothing.
async function read<T>(
  { directory }: Pick<Attempt, 'directory'>,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const value = await readJson(join(directory, name)).catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  });
  return schema.safeParse(value).data;
}
