/** Checkpoints for the engines of a test host, set while they run (test/fixtures/engine/behaviour.mjs). */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnginePhaseId } from '../../src/phases.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import type { TestHost } from './test-host.js';

type Kind = 'hold' | 'ms' | 'fail' | 'crash' | 'hang' | 'silent';

const fileOf = ({ checkpoints, seal }: TestHost, phase: EnginePhaseId, kind: Kind): string =>
  join(checkpoints, `${sectorFileName(sectorOf(seal.sector))}-${phase}.${kind}`);

export const tell = (host: TestHost, phase: EnginePhaseId, kind: Kind, words: string): Promise<void> =>
  writeFile(fileOf(host, phase, kind), words);

/** Engines of the phase do not finish until {@link release}. */
export const hold = (host: TestHost, phase: EnginePhaseId): Promise<void> => tell(host, phase, 'hold', '');

export const release = (host: TestHost, phase: EnginePhaseId): Promise<void> =>
  rm(fileOf(host, phase, 'hold'), { force: true });
