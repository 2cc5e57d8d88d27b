/** Lists the sectors in a group's directory, independently of Temporal. Read-only. */
import { parseSealInput, TooNewError, type SealInput } from '../contract.js';
import { ifPresent, readJson, usedBytes } from '../files.js';
import { readdir } from '../mounts/remote-fs.js';
import { join } from 'node:path';
import { cacheDir, type GroupDirectory } from '../paths.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../phases.js';
import { sectorName, sectorOf } from '../sector.js';
import { listAttempts, readError, readResult } from '../sector-directory/attempt.js';
import { listEpochs } from '../sector-directory/epochs.js';
import { isAlive, isLocal, type HostIdentity } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';

export interface SectorOnDisk {
  /** `t01000/7` */
  sector: string;
  /** `deleting`: P6 or an abort has renamed it away and has not finished deleting it. */
  state: 'begun' | 'deleting';
  /** The workflow's input; undefined when sector.json is missing or invalid. */
  seal?: SealInput;
  /** Workflow run that holds the latest claim; undefined if that run was stopped or there is no claim. */
  runId?: string;
  /** Phases that have a result, whatever its inputs. */
  done: EnginePhaseId[];
  /** Engines without result or error that are not known to be dead; `alive` is undefined on other hosts. */
  engines: { at: string; host: string; step: string; alive?: boolean }[];
  /** Bytes on disk, each inode once. */
  usedBytes: number;
  /** Why it could not be read completely. */
  problem?: string;
}

/** All sectors of the group's directory, by name. */
export async function sectorsOnDisk(group: GroupDirectory, self: HostIdentity): Promise<SectorOnDisk[]> {
  const found: SectorOnDisk[] = [];
  for (const name of (await readdir(cacheDir(group))).sort()) {
    const match = /^(\.gone-)?s-(t0[0-9]+)-([0-9]+)/.exec(name);
    if (!match) continue;
    const sector = sectorName(sectorOf(`${match[2]}/${match[3]}`));
    const directory = join(cacheDir(group), name);
    const bytes = await usedBytes(directory);
    if (match[1]) found.push({ sector, state: 'deleting', done: [], engines: [], usedBytes: bytes });
    else found.push({ sector, state: 'begun', usedBytes: bytes, ...(await inspectSector(directory, self)) });
  }
  return found;
}

type Contents = Pick<SectorOnDisk, 'seal' | 'runId' | 'done' | 'engines' | 'problem'>;

/** Reports invalid or too new files as a `problem` instead of throwing, so that other sectors are still listed. */
async function inspectSector(directory: string, self: HostIdentity): Promise<Contents> {
  const contents: Contents = { done: [], engines: [] };
  try {
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
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TooNewError)) throw error;
    contents.problem = error.message;
  }
  return contents;
}
