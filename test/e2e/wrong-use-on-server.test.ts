/** Wrong use that only the server can detect. */
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { command } from '../helpers/in-process.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

const refused = (code: number, ...lines: string[]) => ({
  code,
  stdout: '',
  stderr: lines.map((line) => `${line}\n`).join(''),
});

test('a sector is not started in a group that no worker serves, except with --force', async () => {
  const group = await cluster.group();
  const sector = cluster.newSector();
  const start = ['start', sector, '--group', String(group.number), '--size', group.size, '--test'];
  const all =
    'P1 (PreCommitPhase1), P2 (PreCommitPhase2), P3 (CommitPhase1), P4 (CommitPhase2), P5 (CopyTask), P6 (CleanTask)';
  expect(await cluster.sealflow(...start)).toEqual(
    refused(
      1,
      `sealflow: nobody serves ${all} for 2KiB sectors in group ${group.number}`,
      '  start the workers of the group, check their logs, or use --force to let the sector wait for them',
    ),
  );
  const id = sector.replace('/', '-');
  expect(await cluster.sealflow(...start, '--force')).toEqual({
    code: 0,
    stdout: `${sector} started (workflow seal-${id})\n`,
    stderr: '',
  });
  await group.host(1);
  await cluster.sealed(sector);
});

test('start takes group and size of the config, and says which size is served', async () => {
  const group = await cluster.group();
  await group.serve(1);
  await cluster.untilServed(group);
  const config = ['--config', await group.writeConfig(1), '--test'];
  const [sector, other] = [cluster.newSector(), cluster.newSector()];
  const end = await command(['start', other, ...config, '--size', '32GiB']);
  expect(end).toMatchObject({ code: 1, stdout: '' });
  expect(end.stderr).toContain(`for 32GiB sectors in group ${group.number}, but 2KiB is served\n`);
  expect(await command(['start', sector, ...config, '--time-scale', '0.2'])).toMatchObject({ code: 0 });
  await cluster.sealed(sector);
});

test('a sector without a workflow has no status and accepts no seed or retry', async () => {
  const sector = 't01000/999';
  const known = `  sealflow status ${sector} shows its last known state`;
  const none = refused(1, `sealflow: no workflow is running for ${sector}`, known);
  expect(await cluster.sealflow('seed', sector, randomBytes(32).toString('hex'))).toEqual(none);
  expect(await cluster.sealflow('retry', sector)).toEqual(none);
  expect(await cluster.sealflow('status', sector)).toEqual(
    refused(1, `sealflow: no workflow found for ${sector}`),
  );
});

test('a retry of a sector that needs none is refused', async () => {
  const group = await cluster.group();
  await group.host(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  await group.engine(sector, 'P1');
  expect(await cluster.sealflow('retry', sector)).toEqual(
    refused(1, `sealflow: ${sector}: NothingToRetry: nothing is waiting for a retry`),
  );
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
});

test('a host that reserves all its cores is refused', async () => {
  const group = await cluster.group();
  const config = { engine: { command: [process.execPath], reserved_cores: 4096 } };
  const { code, stderr } = await (await group.start(1, { config })).ended;
  expect(code).toBe(2);
  expect(stderr.split('\n').filter((line) => !/ INFO {2}/.test(line))).toEqual([
    expect.stringMatching(
      /^sealflow: engine.reserved_cores = 4096 leaves no core for P2 and P3: this host has \d+$/,
    ),
    expect.stringMatching(/^ {2}set it to \d+ or less, or serve P2 and P3 on another host$/),
    '',
  ]);
});
