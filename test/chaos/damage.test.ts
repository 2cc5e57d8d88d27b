/** Files that are damaged or another's: the earliest phase that mends it runs again, and nothing else does. */
import { copyFile, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { ENGINE_PHASE_IDS, type EnginePhaseId } from '../../src/phases.js';
import { stored } from '../../src/paths.js';
import { computeByHand } from '../helpers/by-hand.js';
import { Cluster } from '../helpers/cluster.js';
import { flip } from '../helpers/damage.js';
import { ENGINE } from '../helpers/engine.js';
import type { Group } from '../helpers/group.js';
import { partsOf } from '../helpers/on-disk.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { chaosRandom, inThisForm } from './form.js';
import {
  begin,
  expectSealed,
  LAYERS,
  LAYERS_ENV,
  newSector,
  repeated,
  stepsOf,
  untilDone,
  untilHeld,
} from './sectors.js';
import type { Begun } from './outcome.js';
import { tally } from './tally.js';

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
  await group.host(1, { engineEnv: LAYERS_ENV });
  await cluster.untilServed(group);
  return () => cluster.end();
});

/** Begins a sector that stops in a phase, and waits until it has come there. */
async function heldIn(phase: EnginePhaseId, moment = 'end'): Promise<Begun> {
  const begun = newSector(cluster, random);
  await group.tell(begun.sector, phase, 'hold', moment);
  await begin(cluster, group, begun);
  await untilHeld(group, begun.sector, phase);
  return begun;
}

/** Begins a sector, and does the damage when `phase` has made its files and not yet reported them. */
async function damaged(
  phase: EnginePhaseId,
  damage: (begun: Begun) => Promise<void>,
  moment?: string,
): Promise<Begun> {
  const begun = await heldIn(phase, moment);
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
  expect(await readdir(join(group.node, stored.stagingRoot))).toEqual([]);
}

const inP1 = ({ sector }: Begun, name: string): string => group.attempt(sector, '1/P1-1', name);
const inP2 = ({ sector }: Begun, name: string): string => group.attempt(sector, '1/P2-1', name);

interface Case {
  title: string;
  fault: string;
  victim: 'layers' | 'replica' | 'output of P3' | 'copy';
  /** How often a phase is begun; once, if not given. */
  again: Partial<Record<EnginePhaseId, number>>;
  /** Begins a sector and does the damage. */
  act: () => Promise<Begun>;
  /** All that P1 computes, first and again. */
  steps?: string[];
}

const FLIPPED = 'a flipped byte';
const CUT = 'half a file';
const GONE = 'no file';

const layers: Case[] = (
  [
    [FLIPPED, 'a flipped byte in the first layer', 1, (path: string) => flip(path)],
    [FLIPPED, 'a flipped byte in a layer in the middle', 4, (path: string) => flip(path)],
    [FLIPPED, 'a flipped byte in the last layer', LAYERS, (path: string) => flip(path, 2047)],
    [CUT, 'a truncated layer', 3, (path: string) => truncate(path, 1000)],
    [GONE, 'a layer that is gone', 5, (path: string) => rm(path)],
    [FLIPPED, 'a flipped byte in tree-d', 0, (path: string) => flip(path)],
  ] as const
).map(([fault, name, number, damage]) => ({
  title: `${name}: P1 repeats it and what follows from it`,
  fault,
  victim: 'layers',
  again: { P1: 2, P2: 2 },
  act: () => damaged('P1', (one) => damage(inP1(one, number === 0 ? TREE_D : layer(number)))),
  steps: [...layersFrom(0), ...layersFrom(number)],
}));

const otherLayers: Case[] = [
  {
    title:
      'a layer that is damaged before it is recorded by anyone but its engine that dies is not taken over',
    fault: FLIPPED,
    victim: 'layers',
    again: { P1: 2 },
    act: async () => {
      const begun = await heldIn('P1', 'middle');
      await flip(inP1(begun, layer(2)));
      process.kill((await group.engine(begun.sector, 'P1')).pid, 'SIGKILL');
      tally({ faults: 2 });
      await group.engine(begun.sector, 'P1', 2);
      await group.takeBack(begun.sector, 'P1', 'hold');
      return begun;
    },
    steps: [...layersFrom(0).slice(0, 5), ...layersFrom(2)],
  },
  {
    title: 'layers of another ticket under the right names are not taken for its own',
    fault: 'files of another ticket',
    victim: 'layers',
    again: { P1: 2, P2: 2 },
    act: () =>
      damaged('P1', async (one) => {
        const directory = await temporaryDirectory();
        const job = { sector: one.sector, ticket: 'ee'.repeat(32) };
        await computeByHand(ENGINE, directory, ['P1'], job, LAYERS_ENV);
        for (let n = 1; n <= LAYERS; n++)
          await copyFile(join(directory, '1/P1-1', layer(n)), inP1(one, layer(n)));
      }),
    steps: [...layersFrom(0), ...layersFrom(1)],
  },
  {
    title: 'finished layers of another ticket in an earlier epoch are left alone',
    fault: 'sector cancelled',
    victim: 'layers',
    again: { P1: 2, P2: 2 },
    act: async () => {
      const { sector } = await heldIn('P2');
      await cluster.handle(sector).cancel();
      await expect(cluster.handle(sector).result()).rejects.toThrow('cancelled');
      tally({ faults: 1 });
      await group.takeBack(sector, 'P2', 'hold');
      const begun = { ...newSector(cluster, random), sector };
      tally({ ended: 1 });
      await begin(cluster, group, begun);
      return begun;
    },
    steps: [...layersFrom(0), ...layersFrom(0)],
  },
  {
    title: 'a flipped byte in a layer before P5, which reads none: nothing is done again',
    fault: FLIPPED,
    victim: 'layers',
    again: {},
    act: () => damaged('P3', (one) => flip(inP1(one, layer(1)))),
  },
];

const replica: Case[] = ['sealed', 'p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'].flatMap((name) => [
  {
    title: `a flipped byte in ${name} before P3: P2 runs again`,
    fault: FLIPPED,
    victim: 'replica',
    again: { P2: 2, P3: 2 },
    act: () => damaged('P2', (one) => flip(inP2(one, name))),
  },
  {
    title: `a flipped byte in ${name} before P5: P2 runs again, and what P4 has proved stands`,
    fault: FLIPPED,
    victim: 'replica',
    again: { P2: 2, P5: 2 },
    act: () => {
      const damage = async (one: Begun): Promise<void> => {
        await untilDone(cluster, one.sector, 'P4');
        await flip(inP2(one, name));
      };
      return damaged('P5', damage, 'start');
    },
  },
]);

const outputs: Case[] = (
  [
    [FLIPPED, (path: string) => flip(path)],
    [CUT, (path: string) => truncate(path, 30)],
    [GONE, (path: string) => rm(path)],
  ] as const
).flatMap(([fault, damage]) => [
  {
    title: `${fault} as P3’s output: P3 runs again`,
    fault,
    victim: 'output of P3',
    again: { P3: 2, P4: 2 },
    act: async () => {
      const begun = await damaged('P3', async ({ sector }) => {
        // It finds the damage, and would stop a P5 that is under way.
        await group.tell(sector, 'P4', 'hold', 'start');
        await damage(group.attempt(sector, '1/P3-1', 'commit-phase1.json'));
      });
      await untilDone(cluster, begun.sector, 'P5');
      await group.takeBack(begun.sector, 'P4', 'hold');
      return begun;
    },
  },
  {
    title: `${fault} in the copy before P6: P5 runs again`,
    fault,
    victim: 'copy',
    again: { P5: 2 },
    act: () =>
      damaged('P4', async (one) => {
        await untilDone(cluster, one.sector, 'P5');
        const [part = 'none'] = await partsOf(group.node, one.sector);
        await damage(join(part, 'p_aux'));
      }),
  },
]);

const all = [...layers, ...otherLayers, ...replica, ...outputs].map((one) => ({
  ...one,
  phases: Object.keys(one.again),
}));

for (const { title, act, again, steps } of inThisForm(all, ['fault', 'victim', 'phases'])) {
  test(title, async () => {
    const begun = await act();
    await expectAgain(begun, again);
    if (steps) expect(await stepsOf(group, begun.sector, 'P1')).toEqual(steps);
  });
}
