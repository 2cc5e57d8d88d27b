/**
 * P6 has no engine that could be told to stop, and no hooks for tests. It is held from outside:
 *
 *   start    a FIFO lies where P6 first looks (`done/<sector>.json`): opening it waits for a writer
 *   middle   the sector holds thousands of small files: P6 is met while it deletes them
 *   end      the server is stopped while P6 does its work: all is done, and nobody has heard of it
 */
import { execFile } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { cacheDir, isGoneName } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import type { Fixture } from '../fixture.js';
import type { Cell } from './cells.js';
import { startLateEngine } from './late-engine.js';
import type { Held } from './moments.js';

/** Seconds of work for P6, many looks for us. */
const MANY_FILES = 3_000;
const AT_ONCE = 100;
const PLANTED = 'planted';

export async function reachInP6(fixture: Fixture, cell: Cell): Promise<Held> {
  const { group, cluster } = fixture;
  const sector = cluster.newSector();
  // P4 waits until all is prepared.
  await group.tell(sector, 'P4', 'hold', 'begin');
  const begun = await fixture.begin(sector);
  await group.engine(sector, 'P4');
  const late = cell.fault.startsWith('engine') ? await startLateEngine(fixture, begun) : undefined;
  const engine = late && { pid: late.pid, ended: async () => !(await isAlive(late.pid)) };
  const held = { begun, engine, untilWorkIsDone: () => untilDeleted(fixture, sector) };

  if (cell.moment === 'middle') {
    await plant(group.attempt(sector, '1/P1-1', PLANTED));
    await group.takeBack(sector, 'P4', 'hold');
    const host = await fixture.hostOf(sector, 'P6');
    await untilHalfDeleted(fixture, sector);
    return { ...held, ...host, release: () => Promise.resolve() };
  }
  const fifo = group.done(sector);
  await promisify(execFile)('mkfifo', [fifo]);
  await group.takeBack(sector, 'P4', 'hold');
  // The first heartbeat of P6 is the last thing that it does before it looks there.
  await eventually(async () => (await cluster.heartbeats(sector)).some(({ phase }) => phase === 'P6'));
  const host = await fixture.hostOf(sector, 'P6');
  if (cell.moment === 'start') return { ...held, ...host, release: () => letRead(fifo) };
  onTestFinished(() => wake(cluster.serverPid));
  process.kill(cluster.serverPid, 'SIGSTOP');
  await letRead(fifo);
  await untilDeleted(fixture, sector);
  return { ...held, ...host, release: () => wake(cluster.serverPid) };
}

async function wake(pid: number): Promise<void> {
  if (await isAlive(pid)) process.kill(pid, 'SIGCONT');
}

/** Lets whoever waits at the FIFO read an empty record, and removes it. */
async function letRead(fifo: string): Promise<void> {
  // P6 may have put its journal there since.
  if (!(await lstat(fifo).catch(() => undefined))?.isFIFO()) return;
  // Open for both, so that it does not wait for a reader: the one that was there may have been killed.
  const both = await open(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  await rm(fifo);
  await both.write('null');
  await both.close();
}

async function plant(directory: string): Promise<void> {
  await mkdir(directory);
  for (let first = 0; first < MANY_FILES; first += AT_ONCE) {
    const names = Array.from({ length: AT_ONCE }, (_, i) => join(directory, String(first + i)));
    await Promise.all(names.map((name) => writeFile(name, '')));
  }
}

/** @throws when P6 was faster than our looks */
async function untilHalfDeleted(fixture: Fixture, sector: string): Promise<void> {
  for (;;) {
    const over = existsSync(fixture.group.done(sector));
    const [gone] = await goneDirectories(fixture, sector);
    const left = gone && (await readdir(join(gone, '1/P1-1', PLANTED)).catch(() => []));
    if (left && left.length > 0 && left.length < MANY_FILES) return;
    // While it is there and empty, it has just got the name under which it is deleted, or is about to be gone.
    if (over && !gone) throw new Error(`P6 of ${sector} was over before it was met`);
  }
}

/** P6 has nothing left to do: its journal is there, and the scratch is not. */
const untilDeleted = (fixture: Fixture, sector: string): Promise<void> =>
  eventually(
    async () =>
      existsSync(fixture.group.done(sector)) &&
      !existsSync(fixture.group.sector(sector)) &&
      (await goneDirectories(fixture, sector)).length === 0,
  );

async function goneDirectories({ group }: Fixture, sector: string): Promise<string[]> {
  const cache = cacheDir(group.directory);
  const names = (await readdir(cache)).filter((name) => isGoneName(sectorOf(sector), name));
  return names.map((name) => join(cache, name));
}
