/**
 * Random runs: faults in an order that nobody has thought of, over many sectors and three hosts. The seed gives the order again.
 */
import { existsSync } from 'node:fs';
import { beforeAll, expect, onTestFailed, test, vi } from 'vitest';
import { OwnCluster } from '../helpers/own-cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import type { Group, Pool } from '../helpers/group.js';
import { expectCleaned, expectNoParts, expectStored } from '../helpers/on-disk.js';
import type { Random } from '../helpers/random.js';
import { Chaos, FAULTS, type FaultName } from './chaos.js';
import { chaosRandom } from './form.js';
import { begin, expectSealed, LAYERS_ENV, newSector, repeated } from './sectors.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

const HOSTS = 3;
const SECTORS = 20;
const FAULTS_OF_A_RUN = 24;
/** Few slots, and phases that last: so that there is something to hit for two minutes. */
const POOLS: readonly Pool[] = [
  [3, 'P1'],
  [1, 'P2', 'P3'],
  [1, 'P4'],
  [1, 'P5', 'P6'],
];
const SLOWLY = Object.fromEntries(['P1', 'P2', 'P3', 'P4', 'P5'].map((id) => [`FIXTURE_MS_${id}`, '4000']));
/** Hang limit 30 s, heartbeats 6 s. */
const SCALE = 0.1;

const HOST = { pools: POOLS, engineEnv: { ...LAYERS_ENV, ...SLOWLY } };

const random = chaosRandom();
let cluster: OwnCluster;

beforeAll(async () => {
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

/** Each kind once, in random order, before any comes again. */
function* sequence(dice: Random): Generator<FaultName, never> {
  for (;;) {
    const left = [...FAULTS];
    while (left.length > 0) yield left.splice(dice.below(left.length), 1)[0] as FaultName;
  }
}

/** Waits until engines have come some steps further, or there is nothing left to do. */
async function someWork(group: Group, sectors: readonly string[]): Promise<boolean> {
  const seen = (await engineRuns(group.checkpoints)).length + 1 + random.below(15);
  const over = (): boolean => sectors.every((sector) => existsSync(group.done(sector)));
  await eventually(async () => over() || (await engineRuns(group.checkpoints)).length >= seen);
  return !over();
}

test.each([1, 2])('random run %i', async () => {
  const group = await cluster.group();
  const chaos = new Chaos(cluster, group, random, HOST, SCALE);
  onTestFailed(() => console.error(`SEALFLOW_CHAOS_SEED=${random.seed}\n${chaos.story.join('\n')}`));
  for (let host = 1; host <= HOSTS; host++) await chaos.serve(host);
  await cluster.untilServed(group);
  const all = Array.from({ length: SECTORS }, () => newSector(cluster, random));
  const sectors = all.map(({ sector }) => sector);
  for (const begun of all) await begin(cluster, group, begun, SCALE);

  const faults = sequence(random);
  for (let n = 0; n < FAULTS_OF_A_RUN && (await someWork(group, sectors)); n++) {
    await chaos.strike(faults.next().value, all);
  }
  await chaos.heal();
  console.log(`${chaos.story.length} faults`);
  expect(chaos.story.length).toBeGreaterThan(FAULTS.length / 2);
  for (const begun of all) {
    await expectSealed(cluster, group, begun);
    await repeated(group, begun.sector);
  }
  await expectStored(group.node, sectors);
  await expectNoParts(group.node);
  await expectCleaned(group, sectors);
});
