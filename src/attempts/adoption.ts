/** Which worker waits for an engine that it has not started: told in the attempt, for the other workers of its host. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeJson } from '../files.js';
import { readJob, type Attempt } from './attempt.js';

const FILE = 'adopted.json';
const adoptionSchema = z.object({ v: z.literal(1), worker: z.string() });

/** A favour to others: where it fails, they count the engine as nobody's, and take one sector less. */
export async function noteAdoption({ directory }: Attempt, worker: string): Promise<void> {
  await writeJson(join(directory, FILE), { v: 1, worker }).catch(() => undefined);
}

/** The worker that waits for the attempt's engine, or did last, as in `job.madeBy.worker`; undefined when nothing tells. */
export async function waitingWorker(attempt: Pick<Attempt, 'directory'>): Promise<string | undefined> {
  const adopted = await readJson(join(attempt.directory, FILE)).catch(() => undefined);
  return (
    adoptionSchema.safeParse(adopted).data?.worker ??
    (await readJob(attempt).catch(() => undefined))?.madeBy.worker
  );
}
