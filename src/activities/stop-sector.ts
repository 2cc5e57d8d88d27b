/** Stops a sector's engines and retains its files. Runs outside the pools: it must not wait for a slot. */
import { EndedClaim } from '../sector-directory/claim.js';
import { directoryExists } from '../sector-directory/reservation.js';
import { CONTRACT_VERSION, type StopInput, type StopResult } from '../contract.js';
import { sectorDir } from '../paths.js';
import type { Deps } from './deps.js';
import { endEngines } from './end-engines.js';
import { claimantOf, runTask } from './task.js';

export const stopSector = (deps: Deps, input: StopInput): Promise<StopResult> =>
  runTask(deps, 'P1', input, 'outside of slots', async (task) => {
    const group = await deps.scratch.openGroup(task.seal.group);
    const directory = sectorDir(group, task.sector);
    if (!(await directoryExists(directory))) return { v: CONTRACT_VERSION, stopped: [] };
    const { epoch } = await EndedClaim.take(claimantOf(deps, group, task), input.why);
    const stopped = await endEngines(directory, epoch, deps.identity, task);
    return { v: CONTRACT_VERSION, stopped };
  });
