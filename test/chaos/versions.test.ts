/**
 * Two versions of sealflow on one server and one directory, as during an upgrade, and when one is taken back. The short form has
 * both, and an orchestrator, a worker and an engine of another version.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { CONTRACT_VERSION } from '../../src/contract.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { nextVersion } from '../helpers/next-version.js';
import { filesBelow, readJsonFile, readReceipt } from '../helpers/on-disk.js';
import { sealflow, startSealflow, type Running } from '../helpers/sealflow.js';
import { chaosRandom } from './form.js';
import { begin, expectSealed, LAYERS_ENV, newSector, repeated } from './sectors.js';
import type { Begun } from './outcome.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const NEXT = CONTRACT_VERSION + 1;
const random = chaosRandom();
const nothing = { layers: [], phases: [] };
let cluster: OwnCluster;
let next: string;
let orchestrator: Running | undefined;

beforeAll(async () => {
  cluster = await OwnCluster.start();
  await cluster.endOrchestrator();
  next = await nextVersion(join(cluster.directory, 'next'));
  return async () => {
    orchestrator?.kill('SIGKILL');
    await orchestrator?.ended;
    await cluster.end();
  };
});

const serveThis = (group: Group, host: number): Promise<Running> =>
  group.serve(host, { engineEnv: LAYERS_ENV });
const serveNext = (group: Group, host: number): Promise<Running> =>
  group.serve(host, { engineEnv: LAYERS_ENV, run: { main: next } });

/** Replaces the orchestrator by one of this version, or of the next one. */
async function orchestrate(main?: string): Promise<void> {
  orchestrator?.kill('SIGTERM');
  await orchestrator?.ended;
  orchestrator = startSealflow(['orchestrator', '--address', cluster.address], { main });
  await orchestrator.until('orchestrator ready');
}

async function beginByNext(group: Group, { sector, ticket, seed }: Begun): Promise<void> {
  const where = ['--group', String(group.number), '--size', group.size, '--time-scale', '0.1'];
  const words = [...where, '--ticket', ticket, '--seed', seed, '--address', cluster.address];
  expect(await sealflow(['start', sector, ...words], { main: next })).toMatchObject({ code: 0 });
}

/** A group that one host serves, and a sector that is yet to begin. */
async function prepare(serve: typeof serveThis) {
  const group = await cluster.group();
  const worker = await serve(group, 1);
  await cluster.untilServed(group);
  const begun = newSector(cluster, random);
  return { group, worker, begun, sector: begun.sector };
}

const versionOf = async (path: string): Promise<number> => (await readJsonFile<{ v: number }>(path)).v;

test('a newer sector waits, visibly, for a newer orchestrator and a newer worker', async () => {
  await orchestrate();
  const { group, worker: older, begun, sector } = await prepare(serveThis);
  await beginByNext(group, begun);
  const why = `has version ${NEXT}, this sealflow knows ${CONTRACT_VERSION}`;
  await eventually(async () => {
    const events = (await cluster.handle(sector).fetchHistory()).events ?? [];
    return events.some((event) => event.workflowTaskFailedEventAttributes?.failure?.message?.includes(why));
  });

  await orchestrate(next);
  await eventually(async () => (await cluster.handBacks(sector)).includes('TooNew'));
  expect(await filesBelow(group.directory.root)).toEqual(['sealflow.json']);

  await serveNext(group, 2);
  await expectSealed(cluster, group, begun);
  expect(await isAlive(older.pid)).toBe(true);
  const { phases } = await readReceipt(group.node, sector);
  for (const { host } of Object.values(phases)) expect(host).toBe(group.ip(2));
  expect(await repeated(group, sector)).toEqual(nothing);
});

test('a sector that the version before has begun goes on with the next one, and nothing is done again', async () => {
  await orchestrate();
  const { group, worker: older, begun, sector } = await prepare(serveThis);
  await group.tell(sector, 'P2', 'hold');
  await begin(cluster, group, begun, 0.1);
  const engine = await group.engine(sector, 'P2');
  expect(await versionOf(join(group.sector(sector), '1/epoch.json'))).toBe(CONTRACT_VERSION);

  older.kill('SIGTERM');
  await older.ended;
  await orchestrate(next);
  await serveNext(group, 1);
  await eventually(async () => (await cluster.watched(sector)).includes('1/P2-1'));
  expect(await isAlive(engine.pid)).toBe(true);
  await group.takeBack(sector, 'P2', 'hold');
  await expectSealed(cluster, group, begun);
  expect(await versionOf(group.done(sector))).toBe(NEXT);
  expect(await repeated(group, sector)).toEqual(nothing);
});

test('a version that is taken back leaves the newer engine and all files alone, until it is there again', async () => {
  await orchestrate(next);
  const { group, worker: newer, begun, sector } = await prepare(serveNext);
  await group.tell(sector, 'P1', 'hold');
  await beginByNext(group, begun);
  const engine = await group.engine(sector, 'P1');
  const epoch = join(group.sector(sector), '1/epoch.json');
  expect(await versionOf(epoch)).toBe(NEXT);
  newer.kill('SIGKILL');
  await newer.ended;

  const older = await serveThis(group, 1);
  await eventually(async () => (await cluster.handBacks(sector)).includes('TooNew'));
  expect(await isAlive(engine.pid)).toBe(true);
  expect(await group.starts(sector)).toEqual([engine]);
  expect(await readFile(epoch, 'utf8')).toContain(`"v": ${NEXT}`);
  older.kill('SIGKILL');
  await older.ended;

  await serveNext(group, 1);
  await group.takeBack(sector, 'P1', 'hold');
  await expectSealed(cluster, group, begun);
  expect(await repeated(group, sector)).toEqual(nothing);
});
