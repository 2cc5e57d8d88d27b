/** Files that no workflow claims are retained and listed, and can be resumed; aborted sectors are deleted. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { createRandom, hex32 } from '../helpers/random.js';
import { lacks } from '../helpers/abilities.js';
import { command } from '../helpers/in-process.js';
import { expectForms } from '../helpers/json-forms.js';
import { startSealflow } from '../helpers/sealflow.js';
import { SshServer } from '../helpers/sshfs.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

const random = createRandom();

async function served(): Promise<{
  group: Group;
  sector: string;
  list: (...args: string[]) => ReturnType<typeof command>;
}> {
  const group = await cluster.group();
  await group.host(1);
  await cluster.untilServed(group);
  const config = join(group.root, 'host-1.toml');
  const list = (...args: string[]) => command(['status', '--on-disk', '--config', config, ...args]);
  return { group, sector: cluster.newSector(), list };
}

test('a sector whose workflow is gone is listed with the command that resumes it', async () => {
  const { group, sector, list } = await served();
  expect((await list()).stdout).toMatch(/^no sectors in /);
  const [ticket, seed] = [hex32(random), hex32(random)];
  await group.tell(sector, 'P2', 'hold');
  await cluster.start(group, sector, { ticket, ticketEpoch: 77, seed });
  const { pid } = await group.engine(sector, 'P2');
  const row = async (): Promise<unknown> => expectForms('status', (await list('--json')).stdout)[0];
  await eventually(async () => ((await row()) as { engines: unknown[] }).engines.length > 0);
  expect(await row()).toMatchObject({
    sector,
    state: 'begun',
    workflow: 'RUNNING',
    done: ['P1'],
    engines: [{ at: '1/P2-1', host: group.ip(1), alive: true }],
    seal: { ticket, ticketEpoch: 77, seed, size: '2KiB' },
  });

  await cluster.handle(sector).terminate();
  const { stdout } = await list();
  const command = `sealflow start ${sector} --group ${group.number} --size 2KiB --ticket ${ticket}@77 --seed ${seed}`;
  expect(stdout).toContain(
    `no workflow claims these, and none of their files are deleted. To resume them:\n  ${command}\n`,
  );
  expect(await isAlive(pid)).toBe(true);

  const [, ...args] = command.split(' ');
  expect(await cluster.sealflow(...args, '--time-scale', '0.2')).toMatchObject({ code: 0 });
  await group.takeBack(sector, 'P2', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toHaveLength(1);
  expect((await list()).stdout).toMatch(/^no sectors in /);
});

test('abort asks, ends the engine, deletes the files, and allows a fresh start', async () => {
  const { group, sector, list } = await served();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector, { ticket: hex32(random) });
  const { pid } = await group.engine(sector, 'P1');
  expect(await cluster.sealflow('abort', sector)).toEqual({
    code: 2,
    stdout: '',
    stderr: 'sealflow: abort deletes all files of a sector\n  confirm with --yes\n',
  });
  expect(await isAlive(pid)).toBe(true);

  const { code, stdout } = await cluster.sealflow('abort', sector, '--yes', '--why', 'wrong miner');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      new RegExp(`^${sector}: aborted, wrong miner; [1-9][0-9]* bytes freed\n$`),
    ) as string,
  });
  expect(await isAlive(pid)).toBe(false);
  expect(existsSync(group.sector(sector))).toBe(false);
  expect((await list()).stdout).toMatch(/^no sectors in /);
  expect((await cluster.handle(sector).describe()).status.name).toBe('FAILED');

  await group.takeBack(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  await cluster.sealed(sector);
  expect(await readdir(join(group.node, 'receipts'))).toHaveLength(1);
});

test('one odd name hides nothing, and sectors come in the order of their numbers', async () => {
  const group = await cluster.group();
  const config = await group.writeConfig(1);
  const sectors = join(group.directory.root, 'nfs', group.directory.subdirectory, 'cache');
  const names = ['s-t01000-10', 's-t01000-007', 's-t01000-9', 's-t01000-7.bak', 's-t0999-11', 'lost+found'];
  for (const name of names) await mkdir(join(sectors, name));
  await writeFile(join(sectors, 's-t01000-8'), 'a file');
  const { code, stdout, stderr } = await command(['status', '--on-disk', '--config', config]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rows = stdout.split('\n\n')[0]?.split('\n').slice(1) ?? [];
  expect(rows.map((row) => row.replace(/ .*/, ''))).toEqual([
    't0999/11',
    't01000/8',
    't01000/9',
    't01000/10',
    join(sectors, 'lost+found'),
    join(sectors, 's-t01000-007'),
    join(sectors, 's-t01000-7.bak'),
  ]);
  expect(rows.find((row) => row.startsWith('t01000/8'))).toMatch(/is no directory$/);
  expect(rows.at(-1)).toMatch(/unknown .*no sector's name: not looked at$/);
  expect(stdout).not.toContain('start s-');
  const json = await command(['status', '--on-disk', '--config', config, '--json']);
  expect(expectForms('status', json.stdout)).toHaveLength(names.length + 1);
});

test('an engine of another host has a question mark, which is explained', async () => {
  const { group, sector, list } = await served();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  await group.engine(sector, 'P1');
  const other = await group.writeConfig(2);
  await eventually(async () => (await list()).stdout.includes(` on ${group.ip(1)} `));
  expect((await list()).stdout).not.toContain('?');
  const { stdout } = await command(['status', '--on-disk', '--config', other]);
  expect(stdout).toContain(`1/P1-1 on ${group.ip(1)}?`);
  expect(stdout).toMatch(/^\?: on another host, /m);
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
});

test.skipIf(await lacks('sshfs'))('a hung mount is told, and does not hang it', async () => {
  const group = await cluster.group();
  const server = await SshServer.start(group);
  const view = await server.view(group.directory.root, join(group.root, 'view'), 'uncached');
  const config = await group.writeConfig(1, { config: { local_dir: view.path } });
  view.hang();
  const end = await startSealflow(['status', '--on-disk', '--config', config, '--time-scale', '0.05']).ended;
  // Node itself would wait for the blocked thread.
  expect(end).toMatchObject({ code: 'SIGTERM', stdout: '' });
  expect(end.stderr).toMatch(new RegExp(`^sealflow: ${view.path} is hung: no answer since \\S+Z\n$`));
});

test('a missing server or group directory is reported', async () => {
  const { group, list } = await served();
  const config = await group.writeConfig(2, { config: { scheduler_url: 'http://127.0.0.1:1' } });
  const { code, stdout, stderr } = await command(['status', '--on-disk', '--config', config]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^no sectors in /) as string });
  expect(stderr).toContain('cannot determine which sectors are claimed\n');
  expect(await cluster.sealflow('status', '--on-disk')).toMatchObject({
    code: 2,
    stderr: 'sealflow: --on-disk needs --config config.toml\n',
  });
  await rm(join(group.directory.root, 'sealflow.json'));
  expect(await list()).toMatchObject({ code: 1, stderr: expect.stringContaining('is not there') as string });
});
