/** Misconfigured hosts: the worker reports the problem on stderr and by its exit code, and ends. */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { command } from '../helpers/in-process.js';
import { expectRefused, groupAt } from '../helpers/refused.js';
import { sealflow } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000 });

/** A worker that must be refused for its config.toml, before it does anything: in this process. */
async function expectConfigRefused(file: string, lines: readonly string[]): Promise<void> {
  const stderr = lines.map((line) => `${line}\n`).join('');
  expect(await command(['worker', '--config', file])).toEqual({ code: 2, stdout: '', stderr });
}

test('an unknown key of config.toml is reported with the key that was probably meant', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, {
    config: { storage_nodes: ['/mnt/a'], engine: { reserved_core: 1 } },
  });
  const known =
    'scheduler_url, local_dir, copy_limit_mb_per_sec, copy_limit_total_mb_per_sec, group_id, sector_size, ip, worker, storage-nodes, ' +
    'allow_system_disk, engine, clean, metrics';
  await expectRefused(['worker', '--config', file], 2, [
    `sealflow: ${file}: unknown key engine.reserved_core (did you mean reserved_cores?); ` +
      'known: command, reserved_cores, p1_cores, p1_cores_per_sector, environment',
    `${file}: unknown key storage_nodes (did you mean storage-nodes?); known: ${known}`,
  ]);
});

test('an invalid value in config.toml is reported with the valid ones', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, { config: { sector_size: 2000 } });
  await expectConfigRefused(file, [
    `sealflow: ${file}: sector_size = 2000: must be the bytes of a sector: 2048 (2KiB), 8388608 (8MiB), ` +
      '536870912 (512MiB), 34359738368 (32GiB), 68719476736 (64GiB)',
  ]);
});

test('an invalid or missing config.toml is named', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'config.toml');
  await expectConfigRefused(file, [
    `sealflow: ${file}: cannot be read: ENOENT: no such file or directory, open '${file}'`,
  ]);
  await writeFile(file, 'ip = "127.0.0.1"\nlocal_dir = /sealer\n');
  const { code, stdout, stderr } = await command(['worker', '--config', file]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^sealflow: ${file}:2:13: [^\\n]+\\n$`));
});

test('a missing engine is named', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, {
    config: { engine: { command: ['/no/such/engine'], reserved_cores: 0 } },
  });
  await expectConfigRefused(file, [
    'sealflow: [engine] command names no executable file: /no/such/engine',
    '  give the path of an engine, or leave it out: then sealflow builds its own',
  ]);
});

const NOBODY = 65_534;

/** Runs a worker as a user without write permission; undefined when that is not possible here. */
async function workerAsNobody(config: string, home: string, skip: (note: string) => void) {
  const asNobody = { uid: NOBODY, env: { HOME: home } };
  if (process.getuid?.() !== 0) return skip('only root can run a worker as somebody else');
  if ((await sealflow(['--version'], asNobody)).code !== 0)
    return skip('the checkout is not readable for others');
  return await sealflow(['worker', '--config', config], asNobody);
}

test('a local_dir that the worker may not write to is reported with its owner', async ({ skip }) => {
  const group = await groupAt('127.0.0.1:1');
  const { root } = group.directory;
  await chmod(group.root, 0o755);
  expect(await workerAsNobody(await group.writeConfig(1), group.root, skip)).toEqual({
    code: 2,
    stdout: '',
    stderr:
      `sealflow: local_dir ${root}: no write permission for user ${NOBODY} (owner 0:0, mode 755)\n` +
      `  chown ${NOBODY} ${root}, or run the worker as its owner\n`,
  });
});

test('a local_dir below a directory that the worker may not enter is reported', async ({ skip }) => {
  const [group, closed] = [await groupAt('127.0.0.1:1'), await temporaryDirectory()];
  await chmod(group.root, 0o755);
  const local_dir = join(closed, 'sealer');
  await mkdir(local_dir);
  const config = await group.writeConfig(1, { config: { local_dir } });
  const end = await workerAsNobody(config, group.root, skip);
  expect(end).toMatchObject({ code: 2, stdout: '' });
  expect(end?.stderr).toMatch(new RegExp(`^sealflow: local_dir ${local_dir}: .*permission.*\\n`));
});

test('the directory of another group is not reassigned', async () => {
  const group = await groupAt('127.0.0.1:1');
  await expectRefused(['setup', '--local-dir', group.directory.root, '--group', '2'], 2, [
    `sealflow: ${group.directory.root} already belongs to group 1`,
    '  each group needs its own directory',
  ]);
});

test('a group is not set up in a missing directory, or under a name that leads out of it', async () => {
  const directory = await temporaryDirectory();
  const missing = join(directory, 'not-there');
  for (const [args, named] of [
    [['--local-dir', missing], missing],
    [['--local-dir', directory, '--subdirectory', '../x'], '../x'],
  ] as const) {
    const { code, stdout, stderr } = await command(['setup', '--group', '1', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('unexpected error');
  }
  expect(await readdir(directory)).toEqual([]);
});
