/** Sectors of chaos tests: begun with known randomness, and compared in the end with what nothing has disturbed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFailed } from 'vitest';
import type { EnginePhaseId } from '../../src/phases.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import type { Cluster } from '../helpers/cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { readReceipt } from '../helpers/on-disk.js';
import { processesWith } from '../helpers/processes.js';
import type { Random } from '../helpers/random.js';
import { expectUndisturbed, newRandomness, type Begun } from './outcome.js';
import { tally } from './tally.js';

/** Layers of a test engine's P1 in chaos tests: enough to see which of them are computed again. */
export const LAYERS = 6;
export const LAYERS_ENV = { FIXTURE_LAYERS: String(LAYERS) };

/** A sector that is to be sealed: one that is not counts as lost. */
export function newSector(cluster: Cluster, random: Random): Begun {
  tally({ begun: 1 });
  return { sector: cluster.newSector(), ...newRandomness(random) };
}

/** Starts a sector; done again after its workflow was lost it is the same sector with the same randomness. */
export const begin = (cluster: Cluster, group: Group, begun: Begun, timeScale?: number): Promise<void> => {
  const { sector, ticket, seed } = begun;
  return cluster.start(group, sector, { ticket, seed, timeScale });
};

/** Waits until a new engine of a sector's phase stops where it is told to: its files are there, under their names. */
export async function untilHeld(group: Group, sector: string, phase: EnginePhaseId): Promise<void> {
  const { pid } = await group.engine(sector, phase);
  await eventually(async () =>
    (await engineRuns(group.checkpoints)).some((run) => run.what === 'held' && run.pid === pid),
  );
}

export const untilDone = (cluster: Cluster, sector: string, phase: EnginePhaseId): Promise<void> =>
  eventually(async () => (await cluster.status(sector)).phases[phase].state === 'done');

/** Waits until a sector is sealed, and checks that it is the one that it would have been undisturbed. */
export async function expectSealed(cluster: Cluster, group: Group, begun: Begun): Promise<void> {
  const { sector, ticket, seed } = begun;
  await cluster.sealed(sector);
  tally({ sealed: 1 });
  await expectRight(group, begun);
  const { commR } = await readReceipt(group.node, sector);
  const status = await cluster.status(sector);
  expect(status).toMatchObject({ ticket, seed });
  expect(Buffer.from(status.commR ?? '', 'base64').toString('hex')).toBe(commR);
}

/** Checks what lies on the storage node, and that nothing of the sector is left elsewhere. */
export async function expectRight(group: Group, begun: Begun): Promise<void> {
  const { sector } = begun;
  await expectUndisturbed(group, begun, LAYERS_ENV);
  expect(existsSync(group.sector(sector))).toBe(false);
  // One that was superseded ends when it next looks, and one that cannot look is ended by its host.
  onTestFailed(async () => tally({ orphans: (await enginesOf(group, sector)).length }));
  await eventually(async () => (await enginesOf(group, sector)).length === 0);
}

/** Engines of a sector that live. */
export const enginesOf = (group: Group, sector: string): Promise<number[]> =>
  processesWith(join(group.sector(sector), ''));

/** The pieces of work of a sector's phase so far, in their order: `layer 2 of 6`. */
export async function stepsOf(group: Group, sector: string, phase: EnginePhaseId): Promise<string[]> {
  const name = sectorFileName(sectorOf(sector));
  return (await engineRuns(group.checkpoints))
    .filter(
      (run) => run.what === 'step' && run.sector === name && run.at.includes(phase) && run.words !== 'done',
    )
    .map(({ words }) => words);
}

/** Counts what P1 and the other phases have computed more than once. @returns layers and trees-d that were repeated */
export async function repeated(
  group: Group,
  sector: string,
): Promise<{ layers: string[]; phases: string[] }> {
  const steps = await stepsOf(group, sector, 'P1');
  const layers = steps.filter((step, i) => steps.indexOf(step) < i);
  const phases = (await group.starts(sector))
    .map(({ at }) => at.slice(at.indexOf('P'), at.indexOf('P') + 2))
    .filter((phase, i, all) => phase !== 'P1' && all.indexOf(phase) < i);
  tally({ layersAgain: layers.length, phasesAgain: phases.length });
  return { layers, phases };
}
