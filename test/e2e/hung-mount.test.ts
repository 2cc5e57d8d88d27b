/**
 * A worker whose local_dir hangs: the marker is a FIFO, on which a real thread blocks until somebody writes to it.
 */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { unservedPhases } from '../../src/temporal/ask/start-sector.js';
import { markerFile } from '../../src/paths.js';
import { PHASE_IDS } from '../../src/phases.js';
import { Cluster } from '../helpers/cluster.js';
import { makeFifo } from '../helpers/fifo.js';
import type { Group } from '../helpers/group.js';
import { startSealflow, type Running } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

const ALL = 'P1 P2 P3 P4 P5 P6';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

/** A worker that considers a mount hung after half a second. */
async function startWorker(group: Group): Promise<Running> {
  const args = ['worker', '--config', await group.writeConfig(1), '--time-scale', '0.017'];
  const worker = startSealflow(args);
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await worker.ended;
  });
  return worker;
}

/** Replaces the group's marker with a FIFO. @returns a function that restores the mount */
async function hang({ directory: { root } }: Group): Promise<() => Promise<void>> {
  const marker = markerFile(root);
  const text = await readFile(marker, 'utf8');
  const fifo = await makeFifo(join(root, 'fifo'));
  await rename(marker, `${marker}.away`);
  await rename(fifo.path, marker);
  return async () => {
    await rename(marker, fifo.path);
    await rename(`${marker}.away`, marker);
    await fifo.release(text);
  };
}

test('a hung local_dir is logged once, and served again as soon as it is back', async () => {
  const group = await cluster.group();
  const comeBack = await hang(group);
  const worker = await startWorker(group);
  await worker.until(' serves ');
  const { root } = group.directory;
  expect(worker.said.stderr).toMatch(
    new RegExp(`^\\S+ WARN {2}serves nothing; not ${ALL}: ${root} is hung: no answer since \\S+Z `, 'm'),
  );
  expect(await unservedPhases(cluster.client, group.number, group.size)).toEqual(PHASE_IDS);
  await comeBack();
  await worker.until(`INFO  serves ${ALL} on `);
  expect(worker.said.stderr.match(/ is hung: /g)).toHaveLength(1);
  const sector = cluster.newSector();
  await cluster.untilServed(group);
  await cluster.start(group, sector);
  await cluster.sealed(sector);
});

test('a worker can be stopped while its local_dir hangs', async () => {
  const group = await cluster.group();
  await hang(group);
  const worker = await startWorker(group);
  await worker.until(' serves ');
  worker.kill('SIGTERM');
  // Node itself would wait for the blocked thread.
  expect(await worker.ended).toMatchObject({ code: 'SIGTERM' });
  expect(worker.said.stderr).toContain('stopped; running engines continue');
});

test('dozens of hung calls leave threads for others', async () => {
  const directory = await temporaryDirectory();
  const fifo = await makeFifo(join(directory, 'fifo'));
  const preload = fileURLToPath(new URL('../fixtures/hang-calls.cjs', import.meta.url));
  const program = startSealflow(['--version'], {
    env: { NODE_OPTIONS: `--require ${preload}`, HANG_IN: fifo.path, HANG_CALLS: '60' },
  });
  await program.until('60 calls hang, and others are answered');
  program.kill('SIGKILL');
  await program.ended;
});
