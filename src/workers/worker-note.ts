/**
 * What a running worker serves, for other commands of its host (`health`, `doctor`): a file in the user's cache, not in local_dir,
 * whose mount may hang. A note whose process is gone counts for nothing.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.js';
import { isAlive, startTimeOf } from '../engines/processes.js';
import { cachePath } from '../machine/cache.js';
import { PHASE_IDS, type PhaseId } from '../phases.js';
import { VERSION } from '../version.js';
import { configuredPhases, type ServingFacts } from './serving.js';

const phases = z.array(z.enum(PHASE_IDS as [PhaseId, ...PhaseId[]]));
const noteSchema = z.object({
  v: z.literal(1),
  pid: z.int(),
  startTime: z.number(),
  /** Of sealflow. */
  version: z.string(),
  configured: phases,
  obstacles: z.array(z.object({ phases, reason: z.string(), since: z.coerce.date().optional() })),
  drained: z.coerce.date().optional(),
  noRoom: z.object({ reason: z.string(), since: z.coerce.date() }).optional(),
});
export type WorkerNote = z.infer<typeof noteSchema>;

type Host = Pick<Config, 'ip' | 'localDir' | 'size' | 'pools'>;

function pathOf({ ip, localDir, size, pools }: Host): string {
  const key = JSON.stringify([ip, resolve(localDir), size, configuredPhases(pools)]);
  return cachePath(`workers/${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
}

/** Never throws: sealing must not depend on a writable cache. */
export async function writeWorkerNote(host: Host, facts: ServingFacts): Promise<void> {
  const { pid } = process;
  const note: WorkerNote = {
    v: 1,
    pid,
    startTime: startTimeOf(pid),
    version: VERSION,
    ...facts,
    obstacles: [...facts.obstacles].map((one) => ({ ...one, phases: [...one.phases] })),
    configured: [...facts.configured],
  };
  const path = pathOf(host);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.${pid}`, JSON.stringify(note));
    await rename(`${path}.${pid}`, path);
  } catch {
    // Then health and doctor know of the polls only.
  }
}

/** @returns undefined when no worker of this config runs on this host as this user */
export async function readWorkerNote(host: Host): Promise<WorkerNote | undefined> {
  const text = await readFile(pathOf(host), 'utf8').catch(() => '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const note = noteSchema.safeParse(value).data;
  return note && isAlive(note) ? note : undefined;
}
