/** Stops a sector's engines and keeps its files. Runs outside of the pools: it must not wait for a slot. */
import { CONTRACT_VERSION, type StopInput, type StopResult } from '../contract.js';
import { ifPresent } from '../files.js';
import { lstat } from '../mounts/remote-fs.js';
import { sectorDir } from '../paths.js';
import type { Deps } from './deps.js';
import { endEngines } from './end-engines.js';
import { openGroup, runTask } from './task.js';

export const stopSector = (deps: Deps, input: StopInput): Promise<StopResult> =>
  runTask(deps, 'P1', input, 'outside of slots', async (task) => {
    const directory = sectorDir(await openGroup(deps, task), task.sector);
    const present = (await ifPresent(lstat(directory))) !== undefined;
    const stopped = present ? await endEngines(directory, input.why, deps, task) : [];
    return { v: CONTRACT_VERSION, stopped };
  });
