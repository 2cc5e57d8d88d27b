/** Hosts that cannot serve all of their config.toml: what they do not serve, and how they report it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test, vi } from 'vitest';
import { unservedPhases } from '../../src/temporal/ask/start-sector.js';
import { PHASE_IDS, type PhaseId } from '../../src/phases.js';
import { Cluster } from '../helpers/cluster.js';
import type { Group } from '../helpers/group.js';
import type { InProcessHost } from '../helpers/in-process-host.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ALL = 'P1 P2 P3 P4 P5 P6';
const PARAMETERLESS = fileURLToPath(new URL('../fixtures/engine-without-parameters.mjs', import.meta.url));

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

/** What a host says that it serves, without times. */
const linesOf = ({ said }: InProcessHost): string[] =>
  said.stderr
    .trim()
    .split('\n')
    .filter((line) => line.includes(' serves '))
    .map((line) => line.replace(/^\S+ /, '').replace(/ \(since \d\d:\d\dZ\)/g, ''));

const unserved = ({ number, size }: Group): Promise<PhaseId[]> =>
  unservedPhases(cluster.client, number, size);

test('a host without its group’s directory logs that once and serves nothing until it appears', async () => {
  const group = await cluster.group();
  const empty = join(group.root, 'not-mounted');
  await mkdir(empty);
  const worker = await group.host(1, { config: { local_dir: empty } });
  const why = `${empty}/sealflow.json is not there: is the group's directory mounted?`;
  const nothing = `WARN  serves nothing; not ${ALL}: ${why} on ${group.ip(1)}`;
  // Starting a program takes as long as many polls.
  const place = ['--group', String(group.number), '--size', group.size];
  expect(await cluster.sealflow('start', cluster.newSector(), ...place, '--test')).toMatchObject({ code: 1 });
  expect(await unserved(group)).toEqual(PHASE_IDS);
  expect(linesOf(worker)).toEqual([nothing]);

  await group.setUpDirectory(empty);
  await cluster.untilServed(group);
  const all = `serves ${ALL} on ${group.ip(1)}`;
  await worker.until(all);
  expect(linesOf(worker)).toEqual([nothing, `INFO  ${all}`]);
});

test('a host with the directory of another group serves nothing', async () => {
  const [group, other] = [await cluster.group(), await cluster.group()];
  const root = other.directory.root;
  const worker = await group.host(1, { config: { local_dir: root } });
  const place = ['--group', String(group.number), '--size', group.size];
  const started = await cluster.sealflow('start', cluster.newSector(), ...place, '--test');
  expect(started).toMatchObject({ code: 1, stdout: '' });
  expect(linesOf(worker)).toEqual([
    `WARN  serves nothing; not ${ALL}: ${root} belongs to group ${other.number}, not to group ${group.number} on ${group.ip(1)}`,
  ]);
  expect(await unserved(group)).toEqual(PHASE_IDS);
});

test('a host without proof parameters serves all phases but P4 until they are there', async () => {
  const group = await cluster.group();
  const none = join(group.checkpoints, 'no-parameters');
  await writeFile(none, '');
  const engine = { command: [process.execPath, PARAMETERLESS], reserved_cores: 0 };
  const env = { FIL_PROOFS_PARAMETER_CACHE: group.checkpoints };
  const worker = await group.host(1, { config: { engine }, engineEnv: env });
  const but: PhaseId[] = ['P1', 'P2', 'P3', 'P5', 'P6'];
  await cluster.untilServed(group, but);
  const why =
    `serves ${but.join(' ')}; not P4: no proof parameters for 2KiB in ${group.checkpoints} ` +
    `(sealflow setup --parameters 2KiB, or FIL_PROOFS_PARAMETER_CACHE) on ${group.ip(1)}`;
  const place = ['--group', String(group.number), '--size', group.size];
  const sector = cluster.newSector();
  expect(await cluster.sealflow('start', sector, ...place, '--test')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      `sealflow: nobody serves P4 (CommitPhase2) for 2KiB sectors in group ${group.number}\n` +
      '  start the workers of the group, check their logs, or use --force to let the sector wait for them\n',
  });
  expect(linesOf(worker)).toEqual([`WARN  ${why}`]);

  await cluster.start(group, sector);
  await group.engine(sector, 'P5');
  expect(await group.starts(sector, 'P4')).toEqual([]);
  await rm(none);
  await cluster.sealed(sector);
  await worker.until(`INFO  serves ${ALL} on ${group.ip(1)}`);
});

test('a host whose P4 finds damaged parameters serves it no more until they are right', async () => {
  const group = await cluster.group();
  const engineEnv = { FIL_PROOFS_PARAMETER_CACHE: group.checkpoints };
  const worker = await group.host(1, { engineEnv });
  await cluster.untilServed(group);
  const path = join(group.checkpoints, 'v28-test-2KiB.params');
  await writeFile(path, 'cut');
  await writeFile(`${path}.checked`, '{"v":1,"size":7}');

  const sector = cluster.newSector();
  await cluster.start(group, sector);
  const damaged = `${path} is damaged: it has 3 bytes, the right file has 7`;
  await worker.until(`serves P1 P2 P3 P5 P6; not P4: ${damaged}`);
  const tries = await group.starts(sector, 'P4');
  expect(tries.length).toBeGreaterThan(0);
  await rm(path);
  await worker.until(`INFO  serves ${ALL} on ${group.ip(1)}`);
  await cluster.sealed(sector);
});

test('a host without storage nodes serves neither P5 nor P6', async () => {
  const group = await cluster.group();
  const worker = await group.host(1, { config: { 'storage-nodes': [] } });
  await cluster.untilServed(group, ['P1', 'P2', 'P3', 'P4']);
  expect(await unserved(group)).toEqual(['P5', 'P6']);
  expect(linesOf(worker)).toEqual([
    `WARN  serves P1 P2 P3 P4; not P5 P6: config.toml names no storage-nodes on ${group.ip(1)}`,
  ]);
});
