/** The server goes, for long or by force, while phases run and end; programs that are there before it; runs that others end. */
import { beforeAll, expect, test, vi } from 'vitest';
import { readProgress } from '../../src/engines/progress.js';
import { TIMES } from '../../src/phases.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { expectCleaned, expectNoParts, expectStored, filesBelow } from '../helpers/on-disk.js';
import { startSealflow } from '../helpers/sealflow.js';
import { chaosRandom, COMPLETE } from './form.js';
import { begin, enginesOf, expectSealed, LAYERS_ENV, newSector, repeated } from './sectors.js';
import type { Begun } from './outcome.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** A heartbeat timeout of 6 s, an engine's start 3 s: one that is late for that is started again, and seems to be at fault. */
const SHORT = 0.1;
/** An outage lasts as many heartbeat timeouts. */
const TIMEOUTS = 3;
const ONCE = ['P1', 'P2', 'P3', 'P4', 'P5'];

const random = chaosRandom();
let cluster: OwnCluster;

beforeAll(async () => {
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

async function serve(): Promise<Group> {
  const group = await cluster.group();
  await group.host(1, { engineEnv: LAYERS_ENV });
  await cluster.untilServed(group);
  return group;
}

async function startedPhases(group: Group, sector: string): Promise<string[]> {
  return (await group.starts(sector)).map(({ at }) => at.replace(/^1\/(P[1-5])-1$/, '$1')).sort();
}

/** Waits for an engine's life to go on for some heartbeat timeouts: measured by its counter, whatever the clock says. */
async function outlast(directory: string): Promise<void> {
  const counter = async (): Promise<number> => (await readProgress(directory))?.counter ?? 0;
  const end = (await counter()) + (TIMEOUTS * TIMES.heartbeatTimeout) / TIMES.engineProgress;
  await eventually(async () => (await counter()) > end);
}

async function expectAllSealed(group: Group, all: readonly Begun[]): Promise<void> {
  for (const begun of all) await expectSealed(cluster, group, begun);
  const sectors = all.map(({ sector }) => sector);
  await expectStored(group.node, sectors);
  await expectNoParts(group.node);
  await expectCleaned(group, sectors);
}

test('an outage of many heartbeat timeouts: phases end in it and go on in it, and none runs again', async () => {
  const group = await serve();
  const phases = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
  const held = phases.map((phase) => ({ phase, ...newSector(cluster, random) }));
  for (const { phase, sector } of held) await group.tell(sector, phase, 'hold');
  for (const begun of held) await begin(cluster, group, begun, SHORT);
  for (const { phase, sector } of held) await group.engine(sector, phase);

  await cluster.stopServer();
  tally({ faults: 1 });
  // P1 goes on, what the others do ends while nothing can be reported.
  for (const { phase, sector } of held.slice(1)) await group.takeBack(sector, phase, 'hold');
  for (const { sector } of held.slice(1))
    await eventually(async () => (await enginesOf(group, sector)).length === 0);
  const first = held[0]?.sector ?? '';
  await outlast(group.attempt(first, '1/P1-1'));
  const engine = await group.engine(first, 'P1');
  expect(await isAlive(engine.pid)).toBe(true);

  await cluster.restartServer();
  await eventually(async () => (await cluster.watched(first)).includes('1/P1-1'));
  await group.takeBack(first, 'P1', 'hold');
  await expectAllSealed(group, held);
  for (const { sector } of held) expect(await startedPhases(group, sector)).toEqual(ONCE);
});

// Random moments; the short form has a killed server in its matrix.
test.runIf(COMPLETE)('kill -9 of the server, again and again while sectors run, costs no phase', async () => {
  const group = await serve();
  const sectors = Array.from({ length: 5 }, () => newSector(cluster, random));
  for (const { sector } of sectors)
    for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5'] as const) await group.tell(sector, phase, 'ms', '700');
  for (const begun of sectors) await begin(cluster, group, begun, SHORT);
  for (let kills = 1; kills <= 4; kills++) {
    // At some moment of the life of some engine.
    const seen = (await engineRuns(group.checkpoints)).length + 1 + random.below(20);
    await eventually(async () => {
      const sealed = await Promise.all(
        sectors.map(async ({ sector }) => !(await enginesOf(group, sector)).length),
      );
      return (await engineRuns(group.checkpoints)).length >= seen || sealed.every(Boolean);
    });
    await cluster.killServer();
    tally({ faults: 1 });
    await cluster.restartServer();
  }
  await expectAllSealed(group, sectors);
  for (const { sector } of sectors) expect(await startedPhases(group, sector)).toEqual(ONCE);
});

test('a worker and an orchestrator that are there before the server wait, and then serve', async () => {
  const group = await cluster.group();
  await cluster.stopServer();
  tally({ faults: 1 });
  const worker = await group.start(1, { engineEnv: LAYERS_ENV });
  const orchestrator = startSealflow(['orchestrator', '--address', cluster.address]);
  for (const program of [worker, orchestrator])
    await program.until(' WARN  waiting for Temporal: no Temporal server answers at ');
  expect(worker.said.stderr).not.toContain(' serves ');

  await cluster.restartServer();
  await worker.until(' serves ');
  await orchestrator.until('orchestrator ready');
  await eventually(async () =>
    (await cluster.orchestrators()).some((name) => name.endsWith(`#${orchestrator.pid}`)),
  );
  await cluster.untilServed(group);
  const begun = newSector(cluster, random);
  await begin(cluster, group, begun);
  await expectSealed(cluster, group, begun);
  orchestrator.kill('SIGKILL');
  await orchestrator.ended;
});

test('a workflow that is terminated from outside leaves engine and files; started again it goes on from them', async () => {
  const group = await serve();
  const begun = newSector(cluster, random);
  const { sector } = begun;
  await group.tell(sector, 'P1', 'hold', 'middle');
  await begin(cluster, group, begun, SHORT);
  await eventually(async () => (await engineRuns(group.checkpoints)).some(({ what }) => what === 'held'));
  const engine = await group.engine(sector, 'P1');
  const files = await filesBelow(group.directory.root);

  await cluster.handle(sector).terminate('as from the Web UI');
  tally({ faults: 1 });
  await outlast(group.attempt(sector, '1/P1-1'));
  expect(await isAlive(engine.pid)).toBe(true);
  expect(await filesBelow(group.directory.root)).toEqual(expect.arrayContaining(files));

  await begin(cluster, group, begun, SHORT);
  await group.engine(sector, 'P1', 2);
  await group.takeBack(sector, 'P1', 'hold');
  await expectSealed(cluster, group, begun);
  // The engine of the run that was ended ends by itself, and costs the layer that it was at.
  expect((await repeated(group, sector)).layers).toHaveLength(1);
});
