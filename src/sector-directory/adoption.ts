/**
 * adopted.json: names the worker that waits for an engine it has not started, for the other workers of its host.
 */
import type { Attempt } from '../paths.js';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../files.js';
import { readJob } from './attempt.js';

export const ADOPTION_FILE = 'adopted.json';
const adoptionSchema = z.object({ v: z.literal(1), worker: z.string() });

/**
 * The worker that waits for the attempt's engine, or last did, as in `job.madeBy.worker`; undefined if not
 * recorded.
 */
export async function waitingWorker(attempt: Pick<Attempt, 'directory'>): Promise<string | undefined> {
  const adopted = await readJson(join(attempt.directory, ADOPTION_FILE)).catch(() => undefined);
  return (
    adoptionSchema.safeParse(adopted).data?.worker ??
    (await readJob(attempt).catch(() => undefined))?.madeBy.worker
  );
}
