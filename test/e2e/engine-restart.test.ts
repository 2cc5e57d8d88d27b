import { stat } from 'node:fs/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { createRandom, hex32 } from '../helpers/random.js';
import { computeByHand } from '../helpers/by-hand.js';
import { ENGINE } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { untilGone, type Group } from '../helpers/group.js';
import { inodeOf, readJsonFile, readReceipt } from '../helpers/on-disk.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const LAYERS = 6;
const FIXTURE_LAYERS = String(LAYERS);
/** Recorded files when the test engine hangs half-way in P1: tree-d and the first half of the layers. */
const RECORDED = 1 + LAYERS / 2;

const random = createRandom();
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

/** Starts a sector whose first P1 engine hangs half-way, and waits until it does. */
async function hangInP1() {
  const group = await cluster.group();
  await group.host(1, { engineEnv: { FIXTURE_LAYERS } });
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  const ticket = hex32(random);
  await group.tell(sector, 'P1', 'hang', '1');
  // The next one is held too, so that its attempt can be inspected.
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector, { ticket, seed: hex32(random) });
  const engine = await group.engine(sector, 'P1');
  await eventually(async () => (await recorded(group, sector, '1/P1-1')).length === RECORDED);
  return { group, sector, ticket, engine };
}

async function recorded(group: Group, sector: string, at: string): Promise<string[]> {
  const path = group.attempt(sector, at, 'layers.json');
  const there = await stat(path).catch(() => undefined);
  return there ? (await readJsonFile<{ files: { name: string }[] }>(path)).files.map(({ name }) => name) : [];
}

/** Checks that `next` has linked all files that `before` had recorded, and computed the rest itself. */
async function expectTakenOver(group: Group, sector: string, before: string, next: string): Promise<void> {
  await eventually(async () => (await recorded(group, sector, next)).length === 1 + LAYERS);
  const linked = await recorded(group, sector, before);
  expect(linked).toHaveLength(RECORDED);
  for (const name of await recorded(group, sector, next)) {
    const inode = await inodeOf(group.attempt(sector, next, name));
    const same = await inodeOf(group.attempt(sector, before, name)).catch(() => undefined);
    expect({ name, same: inode === same }).toEqual({ name, same: linked.includes(name) });
  }
}

/** commR of the same sector, computed without interruption. */
async function undisturbed(sector: string, ticket: string): Promise<string> {
  const directory = await temporaryDirectory();
  const { P2 } = await computeByHand(ENGINE, directory, ['P1', 'P2'], { sector, ticket }, { FIXTURE_LAYERS });
  return P2?.outputs.commR ?? 'none';
}

test('a killed engine is followed by another, which takes over the recorded layers', async () => {
  const { group, sector, ticket, engine } = await hangInP1();
  process.kill(engine.pid, 'SIGKILL');

  expect((await group.engine(sector, 'P1', 2)).at).toBe('1/P1-2');
  await expectTakenOver(group, sector, '1/P1-1', '1/P1-2');
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect((await readReceipt(group.node, sector)).commR).toBe(await undisturbed(sector, ticket));
});

test('cancel stops the engine and retains all files; a new start resumes from them', async () => {
  const { group, sector, ticket, engine } = await hangInP1();
  await cluster.handle(sector).cancel();
  await expect(cluster.handle(sector).result()).rejects.toThrow('cancelled');
  await untilGone(engine.pid);
  expect(await recorded(group, sector, '1/P1-1')).toHaveLength(RECORDED);
  expect((await cluster.handle(sector).describe()).status.name).toBe('CANCELLED');

  await cluster.start(group, sector, { ticket, seed: hex32(random) });
  const next = await group.engine(sector, 'P1', 2);
  await expectTakenOver(group, sector, '1/P1-1', next.at);
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toEqual([engine, next]);
  expect((await readReceipt(group.node, sector)).commR).toBe(await undisturbed(sector, ticket));
});
