/** Files that are damaged or another's: the earliest phase that mends it runs again, and nothing else does. */
import { copyFile, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../../src/phases.js';
import { stored } from '../../src/paths.js';
import { computeByHand } from '../helpers/by-hand.js';
import { Cluster } from '../helpers/cluster.js';
import { flip } from '../helpers/damage.js';
import { ENGINE, engineRuns } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { partsOf } from '../helpers/on-disk.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { chaosRandom, oneOf } from './form.js';
import { begin, expectSealed, LAYERS, LAYERS_ENV, newSector, repeated, stepsOf } from './sectors.js';
import type { Begun } from './outcome.js';
import { tally } from './tally.js';

const wanted = oneOf(9);

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const TREE_D = 'sc-02-data-tree-d.dat';
const layer = (n: number): string => `sc-02-data-layer-${n}.dat`;
/** What P1 computes from `first` on: 0 is tree-d. */
const layersFrom = (first: number): string[] =>
  ['tree-d', ...Array.from({ length: LAYERS }, (_, i) => `layer ${i + 1} of ${LAYERS}`)].slice(first);

const random = chaosRandom();
let cluster: Cluster;
let group: Group;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  await group.serve(1, { run: { env: LAYERS_ENV } });
  await cluster.untilServed(group);
  return () => cluster.end();
});

/** Waits until a new engine of the sector's phase stops where it is told to. */
async function untilHeld(sector: string, phase: EnginePhaseId): Promise<void> {
  const { pid } = await group.engine(sector, phase);
  await eventually(async () =>
    (await engineRuns(group.checkpoints)).some((run) => run.what === 'held' && run.pid === pid),
  );
}

/** Begins a sector, and does the damage when `phase` has made its files and not yet reported them. */
async function damaged(
  phase: EnginePhaseId,
  damage: (begun: Begun) => Promise<void>,
  moment = 'end',
): Promise<Begun> {
  const begun = newSector(cluster, random);
  await group.tell(begun.sector, phase, 'hold', moment);
  await begin(cluster, group, begun);
  await untilHeld(begun.sector, phase);
  await damage(begun);
  tally({ faults: 1 });
  await group.takeBack(begun.sector, phase, 'hold');
  return begun;
}

/** Checks the end, and that just these phases were begun more than once. */
async function expectAgain(begun: Begun, again: Partial<Record<EnginePhaseId, number>>): Promise<void> {
  await expectSealed(cluster, group, begun);
  await repeated(group, begun.sector);
  const starts = await group.starts(begun.sector);
  const counts = ENGINE_PHASE_IDS.map((id) => [id, starts.filter(({ at }) => at.includes(id)).length]);
  expect(Object.fromEntries(counts)).toEqual({ P1: 1, P2: 1, P3: 1, P4: 1, P5: 1, ...again });
  expect(await readdir(join(group.node, stored.parts))).toEqual([]);
}

const inP1 = ({ sector }: Begun, name: string): string => group.attempt(sector, '1/P1-1', name);
const inP2 = ({ sector }: Begun, name: string): string => group.attempt(sector, '1/P2-1', name);

test.runIf(wanted()).each([
  ['a flipped byte in the first layer', 1, (path: string) => flip(path)],
  ['a flipped byte in a layer in the middle', 4, (path: string) => flip(path)],
  ['a flipped byte in the last layer', LAYERS, (path: string) => flip(path, 2047)],
  ['a truncated layer', 3, (path: string) => truncate(path, 1000)],
  ['a layer that is gone', 5, (path: string) => rm(path)],
  ['a flipped byte in tree-d', 0, (path: string) => flip(path)],
] as const)('%s: P1 repeats it and what follows from it', async (_, number, damage) => {
  const begun = await damaged('P1', (one) => damage(inP1(one, number === 0 ? TREE_D : layer(number))));
  await expectAgain(begun, { P1: 2, P2: 2 });
  expect(await stepsOf(group, begun.sector, 'P1')).toEqual([...layersFrom(0), ...layersFrom(number)]);
});

test.runIf(wanted())(
  'a layer that is damaged before it is recorded by anyone but its engine that dies is not taken over',
  async () => {
    const begun = newSector(cluster, random);
    await group.tell(begun.sector, 'P1', 'hold', 'middle');
    await begin(cluster, group, begun);
    await untilHeld(begun.sector, 'P1');
    await flip(inP1(begun, layer(2)));
    process.kill((await group.engine(begun.sector, 'P1')).pid, 'SIGKILL');
    tally({ faults: 2 });
    await group.engine(begun.sector, 'P1', 2);
    await group.takeBack(begun.sector, 'P1', 'hold');
    await expectAgain(begun, { P1: 2 });
    expect(await stepsOf(group, begun.sector, 'P1')).toEqual([
      ...layersFrom(0).slice(0, 5),
      ...layersFrom(2),
    ]);
  },
);

test.runIf(wanted())('layers of another ticket under the right names are not taken for its own', async () => {
  const begun = await damaged('P1', async (one) => {
    const directory = await temporaryDirectory();
    const job = { sector: one.sector, ticket: 'ee'.repeat(32) };
    await computeByHand(ENGINE, directory, ['P1'], job, LAYERS_ENV);
    for (let n = 1; n <= LAYERS; n++)
      await copyFile(join(directory, '1/P1-1', layer(n)), inP1(one, layer(n)));
  });
  await expectAgain(begun, { P1: 2, P2: 2 });
  expect(await stepsOf(group, begun.sector, 'P1')).toEqual([...layersFrom(0), ...layersFrom(1)]);
});

test.runIf(wanted())('finished layers of another ticket in an earlier epoch are left alone', async () => {
  const before = newSector(cluster, random);
  const { sector } = before;
  await group.tell(sector, 'P2', 'hold');
  await begin(cluster, group, before);
  await untilHeld(sector, 'P2');
  await cluster.handle(sector).cancel();
  await expect(cluster.handle(sector).result()).rejects.toThrow('cancelled');
  tally({ faults: 1 });
  await group.takeBack(sector, 'P2', 'hold');
  const begun = { ...newSector(cluster, random), sector };
  tally({ ended: 1 });
  await begin(cluster, group, begun);
  await expectAgain(begun, { P1: 2, P2: 2 });
  expect(await stepsOf(group, sector, 'P1')).toEqual([...layersFrom(0), ...layersFrom(0)]);
});

test.runIf(wanted()).each(['sealed', 'p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'])(
  'a flipped byte in %s before P3: P2 runs again',
  async (name) => {
    const begun = await damaged('P2', (one) => flip(inP2(one, name)));
    await expectAgain(begun, { P2: 2, P3: 2 });
  },
);

test.runIf(wanted()).each(['sealed', 'p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'])(
  'a flipped byte in %s before P5: P2 runs again, and what P4 has proved stands',
  async (name) => {
    const damage = async (one: Begun): Promise<void> => {
      await eventually(async () => (await cluster.status(one.sector)).phases.P4.state === 'done');
      await flip(inP2(one, name));
    };
    await expectAgain(await damaged('P5', damage, 'start'), { P2: 2, P5: 2 });
  },
);

test.runIf(wanted())(
  'a flipped byte in a layer before P5, which reads none: nothing is done again',
  async () => {
    const begun = await damaged('P3', (one) => flip(inP1(one, layer(1))));
    await expectAgain(begun, {});
  },
);

test.runIf(wanted()).each([
  ['a flipped byte', (path: string) => flip(path)],
  ['half a file', (path: string) => truncate(path, 100)],
  ['no file', (path: string) => rm(path)],
] as const)('%s as P3’s output: P3 runs again', async (_, damage) => {
  const begun = await damaged('P3', ({ sector }) =>
    damage(group.attempt(sector, '1/P3-1', 'commit-phase1.json')),
  );
  await expectAgain(begun, { P3: 2, P4: 2 });
});

test.runIf(wanted()).each([
  ['a flipped byte', (path: string) => flip(path)],
  ['half a file', (path: string) => truncate(path, 30)],
  ['no file', (path: string) => rm(path)],
] as const)('%s in the copy before P6: P5 runs again', async (_, damage) => {
  const begun = await damaged('P4', async ({ sector }) => {
    await eventually(async () => (await cluster.status(sector)).phases.P5.state === 'done');
    const [part = 'none'] = await partsOf(group.node, sector);
    await damage(join(part, 'p_aux'));
  });
  await expectAgain(begun, { P5: 2 });
});
