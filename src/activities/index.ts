import type { SealActivities } from '../contract.js';
import { abortSector } from './abort-sector.js';
import { cleanSector } from './clean-sector.js';
import type { Deps } from './deps.js';
import { sealPhase } from './seal-phase.js';
import { stopSector } from './stop-sector.js';

export type { Deps } from './deps.js';

/** The activities of a worker, bound to their dependencies. */
export const createActivities = (deps: Deps): SealActivities => ({
  preCommitPhase1: (input) => sealPhase(deps, 'P1', input),
  preCommitPhase2: (input) => sealPhase(deps, 'P2', input),
  commitPhase1: (input) => sealPhase(deps, 'P3', input),
  commitPhase2: (input) => sealPhase(deps, 'P4', input),
  copySector: (input) => sealPhase(deps, 'P5', input),
  cleanSector: (input) => cleanSector(deps, input),
  stopSector: (input) => stopSector(deps, input),
  abortSector: (input) => abortSector(deps, input),
});
