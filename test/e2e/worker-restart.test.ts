import { readdir } from 'node:fs/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { ALL_PHASES } from '../helpers/group.js';
import { readReceipt } from '../helpers/on-disk.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

/** Starts a sector whose engine of `phase` is held until {@link Group.takeBack}, and waits for that engine. */
async function holdIn(phase: 'P1' | 'P2') {
  const group = await cluster.group();
  const worker = await group.serve(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, phase, 'hold');
  await cluster.start(group, sector);
  const engine = await group.engine(sector, phase);
  return { group, worker, sector, engine };
}

/** Waits until the phase is scheduled again and its new worker watches the existing attempt. */
async function untilAdopted(sector: string, at: string): Promise<void> {
  const phase = at.includes('P1') ? 'P1' : 'P2';
  await eventually(async () => (await cluster.status(sector)).phases[phase].tries === 2);
  await eventually(async () => (await cluster.watched(sector)).includes(at));
  expect(await cluster.handBacks(sector)).toEqual([]);
}

test('the engine of a killed worker continues and is adopted by the next worker', async () => {
  const { group, worker, sector, engine } = await holdIn('P1');
  worker.kill('SIGKILL');
  await worker.ended;
  expect(await isAlive(engine.pid)).toBe(true);

  await group.serve(1);
  // The server detects the lost worker by its missing heartbeats.
  await untilAdopted(sector, '1/P1-1');
  expect(await isAlive(engine.pid)).toBe(true);
  expect(await readdir(group.attempt(sector, '1/P1-1', '..'))).toEqual(['P1-1', 'epoch.json']);

  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toEqual([engine]);
});

test('SIGTERM, sent repeatedly, ends a worker and leaves its engine to the next one', async () => {
  const { group, worker, sector, engine } = await holdIn('P2');
  let running = true;
  const ended = worker.ended.finally(() => (running = false));
  await eventually(() => {
    worker.kill('SIGTERM');
    return !running;
  });
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/ INFO {2}stopped; running engines continue$/);
  expect(await isAlive(engine.pid)).toBe(true);
  expect((await cluster.status(sector)).attention).toEqual([]);

  await group.serve(1);
  await untilAdopted(sector, '1/P2-1');
  await group.takeBack(sector, 'P2', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P2')).toEqual([engine]);
});

test('an engine that is alive on another host is awaited, and its result is used', async () => {
  const { group, worker, sector, engine } = await holdIn('P1');
  worker.kill('SIGKILL');
  await worker.ended;

  // It shares the directory, but by its address the process belongs to another host.
  await group.host(2, { pools: ALL_PHASES });
  await eventually(async () => (await cluster.handBacks(sector)).includes('BusyElsewhere'));
  expect(await readdir(group.attempt(sector, '1/P1-1', '..'))).toEqual(['P1-1', 'epoch.json']);

  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toEqual([engine]);
  const { phases } = await readReceipt(group.node, sector);
  expect([phases.P1.host, phases.P2.host]).toEqual([group.ip(1), group.ip(2)]);
});

test('a second worker with the same config names the first one and ends', async () => {
  const group = await cluster.group();
  const first = await group.serve(1);
  const { code, stderr } = await (await group.start(1)).ended;
  expect(code).toBe(1);
  expect(stderr).toContain(
    `sealflow: process ${first.pid} already serves P1 on ${group.ip(1)} for ${group.directory.root}\n` +
      '  stop that worker first, or let each config.toml of this host serve different phases\n',
  );
  expect(await isAlive(first.pid)).toBe(true);
});
