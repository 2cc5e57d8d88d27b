/** What the engines of a site are told while they run (test/fixtures/engine/behaviour.mjs). */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnginePhaseId } from '../../src/phases.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import type { Site } from './site.js';

type Kind = 'hold' | 'ms' | 'fail' | 'crash' | 'hang' | 'silent';

const fileOf = ({ gate, seal }: Site, phase: EnginePhaseId, kind: Kind): string =>
  join(gate, `${sectorFileName(sectorOf(seal.sector))}-${phase}.${kind}`);

export const tell = (site: Site, phase: EnginePhaseId, kind: Kind, words: string): Promise<void> =>
  writeFile(fileOf(site, phase, kind), words);

/** Engines of the phase do not finish until {@link release}. */
export const hold = (site: Site, phase: EnginePhaseId): Promise<void> => tell(site, phase, 'hold', '');

export const release = (site: Site, phase: EnginePhaseId): Promise<void> =>
  rm(fileOf(site, phase, 'hold'), { force: true });
