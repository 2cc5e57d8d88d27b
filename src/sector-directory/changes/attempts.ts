/** Makes an attempt, records who adopted its engine, and invalidates its result. */
import { join } from 'node:path';
import type { Job } from '../../engines/protocol.js';
import { ifPresent, writeJson } from '../../files.js';
import { rename } from '../../mounts/remote-fs.js';
import {
  attemptDir,
  epochDir,
  formatAt,
  invalidatedName,
  parseAt,
  type Attempt,
  type AttemptName,
} from '../../paths.js';
import { ADOPTION_FILE } from '../adoption.js';
import { makeByRename } from './make-by-rename.js';

/**
 * Makes the attempt's directory with its job.
 * @returns undefined when the number is taken: another task was faster, so list the attempts again
 */
export async function makeAttempt(
  sectorDirectory: string,
  name: AttemptName,
  job: Job,
): Promise<Attempt | undefined> {
  const at = formatAt(name);
  const directory = attemptDir(sectorDirectory, at);
  if (!(await makeByRename(directory, 'job.json', job))) return undefined;
  return { ...name, at, directory };
}

/** Invalidates an attempt's result; does nothing if it already is. */
export async function invalidateAttempt(sectorDirectory: string, at: string): Promise<void> {
  const name = parseAt(at);
  const invalidated = join(epochDir(sectorDirectory, name.epoch), invalidatedName(name));
  await ifPresent(rename(attemptDir(sectorDirectory, at), invalidated));
}

/** Records which worker waits for the attempt's engine. */
export const writeAdoption = ({ directory }: Attempt, worker: string): Promise<void> =>
  writeJson(join(directory, ADOPTION_FILE), { v: 1, worker });
