/** Lists the sectors in a group's directory, independently of Temporal. Read-only. */
import { parseSealInput, TooNewError, type SealInput } from '../contract.js';
import { ifPresent, messageOf, readJson, usedBytes } from '../files.js';
import { lstat, readdir } from '../mounts/remote-fs.js';
import { join } from 'node:path';
import { cacheDir, type GroupDirectory } from '../paths.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../phases.js';
import { bySector, parseSectorFileName, type SectorId } from '../sector.js';
import { listAttempts, readError, readResult } from '../sector-directory/attempt.js';
import { listEpochs } from '../sector-directory/epochs.js';
import { isAlive, isLocal, type HostIdentity } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';

export interface SectorOnDisk {
  /** Undefined where the name is no sector's. */
  id?: SectorId;
  path: string;
  /**
   * `deleting`: P6 or an abort has renamed it away and has not finished deleting it. `unknown`: its name is no sector's,
   * so it was not looked at.
   */
  state: 'begun' | 'deleting' | 'unknown';
  /** The workflow's input; undefined when sector.json is missing or invalid. */
  seal?: SealInput;
  /** Workflow run that holds the latest claim; undefined if that run was stopped or there is no claim. */
  runId?: string;
  /** Phases that have a result, whatever its inputs. */
  done: EnginePhaseId[];
  /** Engines without result or error that are not known to be dead; `alive` is undefined on other hosts. */
  engines: { at: string; host: string; step: string; alive?: boolean }[];
  /** Bytes on disk, each inode once; undefined where they could not be counted. */
  usedBytes?: number;
  /** Why it could not be read completely. */
  problem?: string;
}

/**
 * All sectors of the group's directory, in order; what has another name comes last.
 * @throws MountHungError; NodeJS.ErrnoException when the directory itself cannot be read
 */
export async function sectorsOnDisk(group: GroupDirectory, self: HostIdentity): Promise<SectorOnDisk[]> {
  const found: SectorOnDisk[] = [];
  for (const name of (await readdir(cacheDir(group))).sort()) {
    const path = join(cacheDir(group), name);
    const [, gone] = /^\.gone-(s-t0[0-9]+-[0-9]+)-/.exec(name) ?? [];
    const id = parseSectorFileName(gone ?? name);
    if (id)
      found.push({ id, path, state: gone ? 'deleting' : 'begun', ...(await inspect(path, self, !gone)) });
    else if (!isTemporary(name))
      found.push({
        path,
        state: 'unknown',
        done: [],
        engines: [],
        problem: "no sector's name: not looked at",
      });
  }
  return found.sort((a, b) => (a.id && b.id ? bySector(a.id, b.id) : Number(!a.id) - Number(!b.id)));
}

/** Made and renamed by sealflow, or by doctor. */
const isTemporary = (name: string): boolean => name.startsWith('.');

type Contents = Pick<SectorOnDisk, 'seal' | 'runId' | 'done' | 'engines' | 'usedBytes' | 'problem'>;

/** What cannot be read becomes a `problem`, so that other sectors are still listed. @throws MountHungError */
async function inspect(directory: string, self: HostIdentity, isWhole: boolean): Promise<Contents> {
  const contents: Contents = { done: [], engines: [] };
  try {
    if (!(await lstat(directory)).isDirectory()) return { ...contents, problem: 'is no directory' };
    contents.usedBytes = await usedBytes(directory);
    if (isWhole) await readSector(directory, self, contents);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    contents.problem = messageOf(error);
  }
  return contents;
}

/** Files that are damaged or too new, and what the file system refuses. */
const isUnreadable = (error: unknown): error is Error =>
  error instanceof SyntaxError ||
  error instanceof TooNewError ||
  (error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string');

async function readSector(directory: string, self: HostIdentity, contents: Contents): Promise<void> {
  contents.seal = parseSealInput(await ifPresent(readJson(join(directory, 'sector.json')))).data;
  const latest = (await listEpochs(directory)).at(-1);
  if (latest?.why === 'claimed') contents.runId = latest.owner.split('#')[0];
  for (const phase of ENGINE_PHASE_IDS) {
    const { all } = await listAttempts(directory, phase);
    for (const attempt of all) {
      if (await readResult(attempt)) {
        if (!contents.done.includes(phase)) contents.done.push(phase);
        continue;
      }
      const progress = await readProgress(attempt.directory);
      if (!progress || (await readError(attempt))) continue;
      const alive = isLocal(progress, self) ? isAlive(progress) : undefined;
      if (alive !== false)
        contents.engines.push({ at: attempt.at, host: progress.host, step: progress.step, alive });
    }
  }
}
