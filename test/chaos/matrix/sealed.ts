/** After the fault of a cell: the sector must have come out as if nothing had happened, and nothing may be left of it. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { expect, onTestFailed } from 'vitest';
import { cacheDir, isGoneName, sealedLink } from '../../../src/paths.js';
import { ENGINE_PHASE_IDS } from '../../../src/phases.js';
import { sectorOf } from '../../../src/sector.js';
import { eventually } from '../../helpers/eventually.js';
import { partsOf } from '../../helpers/on-disk.js';
import { processesWith } from '../../helpers/processes.js';
import { ENGINE_ENVIRONMENT, LAYERS, type Fixture } from '../fixture.js';
import { expectUndisturbed, type Begun } from '../outcome.js';
import { tally } from '../tally.js';

/** Engines that started, by phase, and layers (tree-d counts as one) that P1 computed more than once. */
export interface Work {
  starts: Record<string, number>;
  layersAgain: number;
}

/**
 * Waits until the sector is sealed, then compares it with the same one computed by hand, and looks for remains.
 * @returns the work that it took
 */
export async function expectSealed(fixture: Fixture, begun: Begun): Promise<Work> {
  const { sector } = begun;
  await fixture.cluster.sealed(sector);
  tally({ sealed: 1 });
  const work = await workOf(fixture, sector);
  const phasesAgain = ['P2', 'P3', 'P4', 'P5'].reduce((sum, id) => sum + (work.starts[id] ?? 1) - 1, 0);
  tally({ layersAgain: work.layersAgain, phasesAgain });

  await expectUndisturbed(fixture.group, begun, ENGINE_ENVIRONMENT);

  onTestFailed(async () => tally({ orphans: (await remains(fixture, sector)).length }));
  // An engine that was superseded ends when it next looks at its lease.
  await eventually(async () => (await enginesOf(fixture, sector)).length === 0);
  expect(await remains(fixture, sector)).toEqual([]);
  expect(existsSync(fixture.group.done(sector))).toBe(true);
  return work;
}

async function workOf(fixture: Fixture, sector: string): Promise<Work> {
  const runs = await fixture.runs(sector);
  const starts = ENGINE_PHASE_IDS.map((id) => {
    const ofPhase = runs.filter(({ what, at }) => what === 'start' && at.includes(`/${id}-`));
    return [id, new Set(ofPhase.map(({ at }) => at)).size] as const;
  });
  const layers = runs.filter(({ what, words }) => what === 'step' && /^(tree-d|layer )/.test(words));
  return { starts: Object.fromEntries(starts), layersAgain: layers.length - (LAYERS + 1) };
}

/** Engines of the sector that live, stopped ones too. */
const enginesOf = ({ group }: Fixture, sector: string): Promise<number[]> =>
  processesWith(`${group.sector(sector)}/`);

/** What should not be there any more: engines, scratch, unfinished copies. */
async function remains(fixture: Fixture, sector: string): Promise<string[]> {
  const { group } = fixture;
  const id = sectorOf(sector);
  const inCache = await readdir(cacheDir(group.directory));
  const paths = [group.sector(sector), sealedLink(group.directory, id)].filter((path) => existsSync(path));
  return [
    ...(await enginesOf(fixture, sector)).map((pid) => `engine ${pid}`),
    ...paths,
    ...inCache.filter((name) => isGoneName(id, name)),
    ...(await partsOf(group.node, sector)),
  ];
}
