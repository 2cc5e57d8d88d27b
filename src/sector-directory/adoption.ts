/** Which worker waits for an engine that it has not started: in the attempt's adopted.json, for the other workers of its host. */
import type { Attempt } from '../paths.js';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../files.js';
import { readJob } from './attempt.js';

export const ADOPTION_FILE = 'adopted.json';
const adoptionSchema = z.object({ v: z.literal(1), worker: z.string() });

/** The worker that waits for the attempt's engine, or did last, as in `job.madeBy.worker`; undefined when nothing tells. */
export async function waitingWorker(attempt: Pick<Attempt, 'directory'>): Promise<string | undefined> {
  const adopted = await readJson(join(attempt.directory, ADOPTION_FILE)).catch(() => undefined);
  return (
    adoptionSchema.safeParse(adopted).data?.worker ??
    (await readJob(attempt).catch(() => undefined))?.madeBy.worker
  );
}
