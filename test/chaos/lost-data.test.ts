/**
 * Temporal's data is lost, or is yesterday's: what lies on disk is all that counts, and nothing of it is deleted. The short form
 * has both, a sector that is under way, one that is sealed and one whose run was followed by another, and each engine phase.
 */
import { cp, rm } from 'node:fs/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { beforeAll, expect, test, vi } from 'vitest';
import type { EnginePhaseId } from '../../src/phases.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { expectCleaned, expectNoParts, expectStored, filesBelow } from '../helpers/on-disk.js';
import { snapshot } from '../helpers/test-host.js';
import { chaosRandom, COMPLETE } from './form.js';
import {
  begin,
  expectRight,
  expectSealed,
  LAYERS_ENV,
  newSector,
  repeated,
  untilDone,
  untilHeld,
} from './sectors.js';
import type { Begun } from './outcome.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** A heartbeat timeout of 6 s, an engine's start 3 s: one that is late for that is started again, and seems to be at fault. */
const SHORT = 0.1;

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

/** Begins a sector that stops in a phase, and waits until it has come there. */
async function heldIn(group: Group, phase: EnginePhaseId, moment = 'end'): Promise<Begun> {
  const begun = newSector(cluster, random);
  await group.tell(begun.sector, phase, 'hold', moment);
  await begin(cluster, group, begun, SHORT);
  await untilHeld(group, begun.sector, phase);
  return begun;
}

/** Ends the server, changes what it knows, starts it again, and waits until the group is served by it. */
async function withServerDown(group: Group, change: () => Promise<void>): Promise<void> {
  await cluster.stopServer();
  tally({ faults: 1 });
  await change();
  await cluster.restartServer();
  await cluster.untilServed(group);
}

const loseAll = (): Promise<void> => rm(cluster.serverData, { recursive: true });
const yesterday = (): string => `${cluster.serverData}-of-yesterday`;
const keep = (): Promise<void> => cp(cluster.serverData, yesterday(), { recursive: true });
async function putBack(): Promise<void> {
  await loseAll();
  await cp(yesterday(), cluster.serverData, { recursive: true });
}

/** Starts of engines by phase: `P1 P2 P2`. */
const started = async (group: Group, { sector }: Begun): Promise<string> =>
  (await group.starts(sector))
    .map(({ at }) => at.replace(/^.*(P[1-5]).*$/, '$1'))
    .sort()
    .join(' ');

/** The workflow of a sector that is sealed fails with that reason, whoever has started it. */
async function expectAlreadySealed({ sector }: Begun): Promise<void> {
  const error = await cluster
    .handle(sector)
    .result()
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ type: 'AlreadySealed' });
  expect((await cluster.handle(sector).describe()).status.name).toBe('FAILED');
}

async function expectStoredAndCleaned(group: Group, all: readonly Begun[]): Promise<void> {
  const sectors = all.map(({ sector }) => sector);
  await expectStored(group.node, sectors);
  await expectNoParts(group.node);
  await expectCleaned(group, sectors);
}

test('an empty database: engines go on, nothing is deleted, and sectors that are started again go on from their results', async () => {
  const group = await serve();
  const [inP1, inP2, inP4] = [
    await heldIn(group, 'P1', 'middle'),
    await heldIn(group, 'P2'),
    await heldIn(group, 'P4'),
  ];
  await untilDone(cluster, inP4.sector, 'P5');
  const all = [inP1, inP2, inP4];
  const engines = await Promise.all(
    [inP1, inP2, inP4].map(({ sector }, i) => group.engine(sector, `P${[1, 2, 4][i]}` as never)),
  );
  const files = await filesBelow(group.root);

  await withServerDown(group, loseAll);
  for (const { sector } of all) await expect(cluster.status(sector)).rejects.toThrow('workflow not found');
  for (const { pid } of engines) expect(await isAlive(pid)).toBe(true);
  expect(await filesBelow(group.root)).toEqual(expect.arrayContaining(files));

  for (const begun of all) await begin(cluster, group, begun, SHORT);
  // Each run has a claim of its own, which ends the engines of the lost ones.
  for (const { pid } of engines) await eventually(async () => !(await isAlive(pid)));
  for (const [begun, phase] of [
    [inP1, 'P1'],
    [inP2, 'P2'],
    [inP4, 'P4'],
  ] as const)
    await group.takeBack(begun.sector, phase, 'hold');
  for (const begun of all) await expectSealed(cluster, group, begun);
  expect(await repeated(group, inP1.sector)).toEqual({ layers: ['layer 4 of 6'], phases: [] });
  expect(await repeated(group, inP2.sector)).toEqual({ layers: [], phases: ['P2'] });
  expect(await repeated(group, inP4.sector)).toEqual({ layers: [], phases: ['P4'] });
  await expectStoredAndCleaned(group, all);
});

test.runIf(COMPLETE)(
  'results that come while the database is empty count when their sectors are started again',
  async () => {
    const group = await serve();
    const begun = await heldIn(group, 'P1');
    await withServerDown(group, loseAll);
    await group.takeBack(begun.sector, 'P1', 'hold');
    await eventually(async () => (await engineRuns(group.checkpoints)).some(({ what }) => what === 'end'));
    await begin(cluster, group, begun, SHORT);
    await expectSealed(cluster, group, begun);
    expect(await started(group, begun)).toBe('P1 P2 P3 P4 P5');
    await expectStoredAndCleaned(group, [begun]);
  },
);

test.runIf(COMPLETE)('yesterday’s database: a sector goes on from what lies on disk', async () => {
  const group = await serve();
  const begun = await heldIn(group, 'P1');
  const { sector } = begun;
  await group.tell(sector, 'P4', 'hold');
  await withServerDown(group, keep);
  await group.takeBack(sector, 'P1', 'hold');
  const engine = await group.engine(sector, 'P4');
  await untilDone(cluster, sector, 'P5');

  await withServerDown(group, putBack);
  await eventually(async () => (await cluster.watched(sector)).includes('1/P4-1'));
  expect(await isAlive(engine.pid)).toBe(true);
  await group.takeBack(sector, 'P4', 'hold');
  await expectSealed(cluster, group, begun);
  expect(await started(group, begun)).toBe('P1 P2 P3 P4 P5');
  await expectStoredAndCleaned(group, [begun]);
});

test.each(COMPLETE ? (['P1', 'P3', 'P4', 'P5'] as const) : (['P5'] as const))(
  'yesterday’s database: a sector that was in %s then and has been sealed since ends clearly, and nothing is touched',
  async (phase) => {
    const group = await serve();
    const begun = await heldIn(group, phase);
    await withServerDown(group, keep);
    await group.takeBack(begun.sector, phase, 'hold');
    await expectSealed(cluster, group, begun);
    const before = [await snapshot(group.directory.root), await snapshot(group.node)];

    await withServerDown(group, putBack);
    await expectAlreadySealed(begun);
    await begin(cluster, group, begun, SHORT);
    await expectAlreadySealed(begun);
    expect([await snapshot(group.directory.root), await snapshot(group.node)]).toEqual(before);
    expect(await started(group, begun)).toBe('P1 P2 P3 P4 P5');
    await expectRight(group, begun);
  },
);

test('yesterday’s database: a run that another one has followed since waits for a person, and goes on from all results', async () => {
  const group = await serve();
  const begun = await heldIn(group, 'P1');
  const { sector } = begun;
  await withServerDown(group, keep);
  await cluster.handle(sector).cancel();
  await expect(cluster.handle(sector).result()).rejects.toThrow('cancelled');
  await group.tell(sector, 'P3', 'hold');
  await group.takeBack(sector, 'P1', 'hold');
  await begin(cluster, group, begun, SHORT);
  await untilHeld(group, begun.sector, 'P3');
  const lost = await group.engine(sector, 'P3');
  const files = await filesBelow(group.root);

  await withServerDown(group, putBack);
  const { type } = await cluster.attention(sector);
  expect(type).toBe('ClaimedByOther');
  expect(await filesBelow(group.root)).toEqual(expect.arrayContaining(files));
  expect(await cluster.sealflow('retry', sector)).toMatchObject({ code: 0 });
  // The new claim ends it; a result that came before that would count.
  await eventually(async () => !(await isAlive(lost.pid)));
  await group.takeBack(sector, 'P3', 'hold');
  await expectSealed(cluster, group, begun);
  // P1 was cancelled behind its last layer; P3 belonged to the run that is not known any more.
  expect(await repeated(group, sector)).toEqual({ layers: [], phases: ['P3'] });
});

test.runIf(COMPLETE)(
  'a sector with a receipt is refused by an empty database too, also when its group has forgotten it',
  async () => {
    const group = await serve();
    const begun = newSector(cluster, random);
    await begin(cluster, group, begun, SHORT);
    await expectSealed(cluster, group, begun);
    await withServerDown(group, loseAll);
    for (const forget of [false, true]) {
      if (forget) await rm(group.done(begun.sector));
      const before = [await snapshot(group.directory.root), await snapshot(group.node)];
      await begin(cluster, group, begun, SHORT);
      await expectAlreadySealed(begun);
      expect([await snapshot(group.directory.root), await snapshot(group.node)]).toEqual(before);
    }
    expect(await started(group, begun)).toBe('P1 P2 P3 P4 P5');
  },
);
