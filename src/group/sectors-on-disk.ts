/** What lies in a group's directory, whatever Temporal knows of it. Looks only. */
import { sealInputSchema, TooNewError, type SealInput } from '../contract.js';
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
  /** `begun`; `deleting`: P6 or an abort has renamed it away and is not through. */
  state: 'begun' | 'deleting';
  /** The workflow's input; undefined when sector.json is not there or cannot be read. */
  seal?: SealInput;
  /** Workflow run that has claimed it last; undefined when that was stopped, or nobody has. */
  runId?: string;
  /** Phases that have a result, whatever it is the result of. */
  done: EnginePhaseId[];
  /** Engines that have neither ended nor been superseded; `alive` is undefined for those of other hosts. */
  engines: { at: string; host: string; step: string; alive?: boolean }[];
  /** Bytes on disk, each inode once. */
  usedBytes: number;
  /** Why it could not be read to its end. */
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
    else found.push({ sector, state: 'begun', usedBytes: bytes, ...(await lookAt(directory, self)) });
  }
  return found;
}

type Seen = Pick<SectorOnDisk, 'seal' | 'runId' | 'done' | 'engines' | 'problem'>;

/** What cannot be read must not hide the other sectors. */
async function lookAt(directory: string, self: HostIdentity): Promise<Seen> {
  const seen: Seen = { done: [], engines: [] };
  try {
    seen.seal = sealInputSchema.safeParse(await ifPresent(readJson(join(directory, 'sector.json')))).data;
    const inForce = (await listEpochs(directory)).at(-1);
    if (inForce?.why === 'claimed') seen.runId = inForce.owner.split('#')[0];
    for (const phase of ENGINE_PHASE_IDS) {
      const { all } = await listAttempts(directory, phase);
      for (const attempt of all) {
        if (await readResult(attempt)) {
          if (!seen.done.includes(phase)) seen.done.push(phase);
          continue;
        }
        const progress = await readProgress(attempt.directory);
        if (!progress || (await readError(attempt))) continue;
        const alive = isLocal(progress, self) ? isAlive(progress) : undefined;
        if (alive !== false)
          seen.engines.push({ at: attempt.at, host: progress.host, step: progress.step, alive });
      }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TooNewError)) throw error;
    seen.problem = error.message;
  }
  return seen;
}
