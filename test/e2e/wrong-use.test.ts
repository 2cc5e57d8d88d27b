/** What a person may get wrong: each mistake has its exit code and its lines on stderr, and nothing else is said. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SECTOR_SIZE_NAMES } from '../../src/phases.js';
import { freePort } from '../../src/server/ports.js';
import { engineProgram } from '../helpers/engine-program.js';
import { Group } from '../helpers/group.js';
import { sealflow, startSealflow, type SealflowOptions } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000 });

const SEE_HELP = '(sealflow --help shows the commands)';
const HEX = 'ab'.repeat(32);

/** Runs a command that must be refused with just these lines. */
async function expectRefused(
  args: readonly string[],
  code: number,
  lines: readonly string[],
  options?: SealflowOptions,
) {
  const end = await sealflow(args, options);
  expect(end).toEqual({ code, stdout: '', stderr: lines.map((line) => `${line}\n`).join('') });
}

/** A group whose server is at `address`; it has never been set up. */
async function groupAt(address: string): Promise<Group> {
  const group = new Group(await temporaryDirectory(), 1, '2KiB', address);
  onTestFinished(() => group.end());
  await group.setUp();
  return group;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The old scheduler as far as we see it: something that speaks HTTP/1. */
const oldScheduler = (): Promise<number> =>
  listening(createHttpServer((_, response) => response.writeHead(404).end('no such route\n')));

test.for([
  ['a command', ['strat', 't01000/1'], ["error: unknown command 'strat'", '(Did you mean start?)']],
  ['an option', ['status', '--jsn'], ["error: unknown option '--jsn'", '(Did you mean --json?)']],
  [
    'a phase',
    ['retry', 't01000/1', '--from', 'P7'],
    ["error: option '--from <phase>' argument 'P7' is invalid. Allowed choices are P1, P2, P3, P4, P5, P6."],
  ],
  [
    'a sector',
    ['start', 'x01000/1', '--group', '1', '--test'],
    [
      "error: command-argument value 'x01000/1' is invalid for argument 'sectors'. " +
        'A sector is written like t01000/7, a range like t01000/1-500.',
    ],
  ],
  [
    'a range',
    ['start', 't01000/5-1', '--group', '1', '--test'],
    [
      "error: command-argument value 't01000/5-1' is invalid for argument 'sectors'. " +
        'The range must go upwards and hold at most 100000 sectors.',
    ],
  ],
  [
    'a size',
    ['start', 't01000/1', '--group', '1', '--size', '2kib', '--test'],
    [
      `error: option '--size <size>' argument '2kib' is invalid. Allowed choices are ${SECTOR_SIZE_NAMES.join(', ')}.`,
    ],
  ],
  [
    'a ticket',
    ['start', 't01000/1', '--group', '1', '--ticket', 'abcd'],
    [
      "error: option '--ticket <hex[@epoch]>' argument 'abcd' is invalid. It must be 32 bytes as 64 hex digits.",
    ],
  ],
  [
    'a seed',
    ['seed', 't01000/1', 'abcd'],
    [
      "error: command-argument value 'abcd' is invalid for argument 'hex'. It must be 32 bytes as 64 hex digits.",
    ],
  ],
  [
    'a group that is left out or',
    ['start', 't01000/1', '--test'],
    ["error: required option '--group <n>' not specified"],
  ],
] as const)('%s that is wrong is named, and what is right', async ([, args, lines]) => {
  await expectRefused(args, 2, [...lines, SEE_HELP]);
});

test('a start without a ticket is refused', async () => {
  const hint = '  random randomness is for tests: --test';
  await expectRefused(['start', 't01000/1', '--group', '1'], 2, ['sealflow: --ticket is missing', hint]);
});

test('one ticket is not taken for several sectors', async () => {
  await expectRefused(['start', 't01000/1-3', '--group', '1', '--ticket', HEX], 2, [
    'sealflow: one ticket or seed cannot serve t01000/1 … t01000/3 (3 sectors)',
    '  start them one by one: each sector has randomness of its own',
  ]);
});

test('a key of config.toml that does not exist is named with the one that was meant', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, {
    config: { storage_nodes: ['/mnt/a'], engine: { reserved_core: 1 } },
  });
  const known =
    'scheduler_url, local_dir, copy_limit_mb_per_sec, group_id, sector_size, ip, worker, storage-nodes, ' +
    'allow_system_disk, engine, metrics';
  await expectRefused(['worker', '--config', file], 2, [
    `sealflow: ${file}: unknown key engine.reserved_core (did you mean reserved_cores?); ` +
      'known: command, reserved_cores, environment',
    `${file}: unknown key storage_nodes (did you mean storage-nodes?); known: ${known}`,
  ]);
});

test('a value of config.toml that cannot be is named with what can', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, { config: { sector_size: 2000 } });
  await expectRefused(['worker', '--config', file], 2, [
    `sealflow: ${file}: sector_size = 2000: must be the bytes of a sector: 2048 (2KiB), 8388608 (8MiB), ` +
      '536870912 (512MiB), 34359738368 (32GiB), 68719476736 (64GiB)',
  ]);
});

test('a config.toml that is none, or not there, is named', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'config.toml');
  await expectRefused(['worker', '--config', file], 2, [
    `sealflow: ${file}: cannot be read: ENOENT: no such file or directory, open '${file}'`,
  ]);
  await writeFile(file, 'ip = "127.0.0.1"\nlocal_dir = /sealer\n');
  const { code, stdout, stderr } = await sealflow(['worker', '--config', file]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^sealflow: ${file}:2:13: [^\\n]+\\n$`));
});

test('an engine that is not there is named', async () => {
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, {
    config: { engine: { command: ['/no/such/engine'], reserved_cores: 0 } },
  });
  await expectRefused(['worker', '--config', file], 2, [
    'sealflow: [engine] command names no executable file: /no/such/engine',
    '  give the path of an engine, or leave it out: then sealflow builds its own',
  ]);
});

test('the port of the old scheduler is told from a Temporal server', async () => {
  const port = await oldScheduler();
  const group = await groupAt(`127.0.0.1:${port}`);
  const lines = [
    `sealflow: 127.0.0.1:${port} answers HTTP, but not Temporal's gRPC: is it the old scheduler?`,
    '  set scheduler_url (or TEMPORAL_ADDRESS) to the Temporal frontend, usually port 7233',
  ];
  const file = await group.writeConfig(1);
  await expectRefused(['worker', '--config', file], 2, lines);
  await expectRefused(['orchestrator', '--config', file], 2, lines);
  await expectRefused(['start', 't01000/1', '--group', '1', '--test', '--config', file], 2, lines);
  await expectRefused(['status', '--address', `127.0.0.1:${port}`], 2, lines);
  await expectRefused(['status'], 2, lines, { env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` } });
});

test('a command says that no server answers', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const lines = [
    `sealflow: no Temporal server answers at ${address}`,
    '  start one, or set TEMPORAL_ADDRESS',
  ];
  for (const command of [['status'], ['seed', 't01000/1', HEX], ['retry', 't01000/1'], ['setup']]) {
    await expectRefused([...command, '--address', address], 1, lines);
  }
});

test('a worker waits for a server that is not there yet, and ends when it is told to', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const group = await groupAt(address);
  const orchestrator = startSealflow(['orchestrator', '--address', address]);
  for (const program of [await group.start(1), orchestrator]) {
    await program.until(` WARN  waiting for Temporal at ${address}: `);
    program.kill('SIGTERM');
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('unexpected');
  }
});

const NOBODY = 65_534;

/** Runs a worker as a user who may write nowhere; undefined when that cannot be done here. */
async function workerAsNobody(config: string, home: string, skip: (note: string) => void) {
  const asNobody = { uid: NOBODY, env: { HOME: home } };
  if (process.getuid?.() !== 0) return skip('only root can run a worker as somebody else');
  if ((await sealflow(['--version'], asNobody)).code !== 0)
    return skip('the checkout is not readable for others');
  return await sealflow(['worker', '--config', config], asNobody);
}

test('a local_dir that the worker may not write to is told with its owner', async ({ skip }) => {
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

test('a local_dir below a directory that the worker may not enter is told', async ({ skip }) => {
  const [group, closed] = [await groupAt('127.0.0.1:1'), await temporaryDirectory()];
  await chmod(group.root, 0o755);
  const local_dir = join(closed, 'sealer');
  await mkdir(local_dir);
  const config = await group.writeConfig(1, { config: { local_dir } });
  const end = await workerAsNobody(config, group.root, skip);
  expect(end).toMatchObject({ code: 2, stdout: '' });
  expect(end?.stderr).toMatch(new RegExp(`^sealflow: local_dir ${local_dir}: .*permission.*\\n`));
});

test('a directory that belongs to another group is not given away', async () => {
  const group = await groupAt('127.0.0.1:1');
  await expectRefused(['setup', '--local-dir', group.directory.root, '--group', '2'], 2, [
    `sealflow: ${group.directory.root} belongs to group 1 already`,
    '  each group has a directory of its own',
  ]);
});

test('a port that is in use is named', async () => {
  const port = await listening(createServer());
  const directory = await temporaryDirectory();
  const env = { SEALFLOW_ENGINE: await engineProgram(directory) };
  const { code, stderr } = await sealflow(['dev', '--directory', directory, '--port', String(port)], { env });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      `sealflow: port ${port} (Temporal server) is in use: something listens on 127.0.0.1:${port} already\n` +
      `  take another port, or stop what listens there (ss -ltnp 'sport = :${port}' shows it)\n`,
  });
});
