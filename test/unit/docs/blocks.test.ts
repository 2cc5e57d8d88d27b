/**
 * What stands between fences in README.md and docs/. `sealflow` lines run in test/e2e/docs.test.ts; here are all other programs:
 * some run in a directory of the test, others cannot, and are named with the reason. A new one fails until it has a line.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readOrchestratorConfig } from '../../../src/chain/config.js';
import { preCommitSectorBatch2, proveCommitSectors3 } from '../../../src/chain/miner-messages.js';
import { preCommitValue } from '../../../src/cli/message/value.js';
import { commandNames } from '../../../src/cli/run-command.js';
import { TEMPORAL_CLI_VERSION } from '../../../src/temporal/embedded/pinned-cli.js';
import { serverArguments } from '../../../src/temporal/embedded/settings.js';
import { run } from '../../helpers/commands.js';
import { docsBlocks, documentedCommands, inlineCommands, innermost } from '../../helpers/docs.js';
import { command } from '../../helpers/in-process.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

const commands = await documentedCommands();
/** The lines of one program. */
const linesOf = (program: string): string[][] =>
  commands
    .map(({ argv }) => innermost(argv))
    .filter(([name]) => name === program)
    .map((argv) => argv.slice(1));

/** Programs that blocks may hold, and why they are not run here; `run` are. */
const PROGRAMS: Record<string, string> = {
  sealflow: 'run in test/e2e/docs.test.ts',
  cp: 'run',
  ln: 'run',
  mkdir: 'run',
  chmod: 'run',
  cd: 'run with them',
  npm: 'takes minutes and the network: its scripts are looked up',
  docker: 'needs a daemon, test/docker runs it: files, targets and services are looked up',
  systemctl: 'needs systemd as process 1: units are looked up',
  journalctl: 'the same',
  temporal: 'test/e2e starts it with more settings: these are compared',
  groupadd: 'changes the users of this machine: the ID is compared',
  useradd: 'the same',
  chown: 'needs that user',
  git: 'needs the network',
  lotus: 'needs a node: methods and files are looked up, test/e2e/seal-on-chain.test.ts has a stand-in',
  'lotus-miner': 'needs a node',
  curl: 'needs a node: its request is one that sealflow prints',
  node: 'needs a node: test/e2e/seal-on-chain.test.ts runs the file with a stand-in',
  bash: 'the same',
};

test('each block says what it is', () => {
  const unknown = docsBlocks().filter(({ kind }) => !['sh', 'text', 'ini', 'jsonc', 'toml'].includes(kind));
  expect(unknown.map(({ at, kind }) => `${at} ${kind}`)).toEqual([]);
  // Output goes into a block of its own, where nobody copies it into a shell.
  const commandsInText = docsBlocks().filter(
    ({ kind, text }) => kind === 'text' && /^(\$ |npm )/m.test(text),
  );
  expect(commandsInText).toEqual([]);
});

test('TOML is that of an orchestrator, and is read', async () => {
  const blocks = docsBlocks().filter(({ kind }) => kind === 'toml');
  expect(blocks).not.toEqual([]);
  for (const { text } of blocks) {
    const file = join(await temporaryDirectory(), 'orchestrator.toml');
    await writeFile(file, text);
    expect(readOrchestratorConfig(file).chain).toMatchObject({ network: { name: 'mainnet' }, confidence: 6 });
  }
});

test('each program is one that somebody has decided on, and all are used', () => {
  const used = new Set(commands.map(({ argv }) => innermost(argv)[0] ?? ''));
  expect([...used].sort()).toEqual(Object.keys(PROGRAMS).sort());
});

test('sealflow in running text: commands and options are there', async () => {
  const helps = new Map<string, string>();
  for (const name of commandNames()) helps.set(name, (await command([name, '--help'])).stdout);
  const isKnown = (name: string, option: string): boolean =>
    new RegExp(`^ +${option}( |$)`, 'm').test(helps.get(name) ?? '');
  const spans = inlineCommands();
  const wrong = spans.filter(({ argv: [, name = '', ...args] }) => {
    // Of the program itself, like --help.
    if (name.startsWith('-')) return false;
    return !helps.has(name) || !args.filter((arg) => arg.startsWith('--')).every((arg) => isKnown(name, arg));
  });
  expect(wrong.map(({ at, argv }) => `${at} ${argv.join(' ')}`)).toEqual([]);
  expect(spans.length).toBeGreaterThan(30);
});

test('files are made and copied as told, in the place of /', async () => {
  const root = await temporaryDirectory();
  const place = join(root, 'opt/sealflow');
  for (const name of ['etc/systemd/system', 'usr/local/bin', 'opt/sealflow/dist/cli'])
    await mkdir(join(root, name), { recursive: true });
  await cp(join(ROOT, 'systemd'), join(place, 'systemd'), { recursive: true });
  await writeFile(join(place, 'dist/cli/sealflow.cjs'), '', { mode: 0o644 });
  for (const { argv } of commands) {
    const [program = '', ...args] = argv.map((arg) => (arg.startsWith('/') ? join(root, arg) : arg));
    if (PROGRAMS[program] !== 'run') continue;
    // The shell expands what is no plain name.
    const words = args.map((arg) => (arg.includes('*') ? arg : `'${arg}'`)).join(' ');
    await run('bash', '-c', `cd '${place}' && ${program} ${words}`);
  }
  expect(linesOf('cd')).toEqual([['/opt/sealflow']]);
  expect(existsSync(join(root, 'etc/sealflow'))).toBe(true);
  for (const name of ['sealflow-worker@.service', 'sealflow-orchestrator.service', 'sealflow-verify@.timer'])
    expect(existsSync(join(root, 'etc/systemd/system', name))).toBe(true);
  expect(statSync(join(place, 'dist/cli/sealflow.cjs')).mode & 0o111).not.toBe(0);
});

test('npm: its scripts are there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const [name = '', script = ''] of linesOf('npm')) {
    if (name === 'run') expect(Object.keys(scripts)).toContain(script);
    else expect(['ci', 'prune', 'start', 'test']).toContain(name);
  }
});

test('systemd: the units are there', () => {
  for (const args of [...linesOf('systemctl'), ...linesOf('journalctl')]) {
    for (const arg of args.filter((text) => text.startsWith('sealflow-'))) {
      const [, name = '', instance = '', kind = '.service'] = /^([a-z-]+)(@[^.]*)?(\.\w+)?$/.exec(arg) ?? [];
      expect(existsSync(join(ROOT, 'systemd', `${name}${instance && '@'}${kind}`)), arg).toBe(true);
    }
  }
});

test('docker: files, targets, services and variables are there', () => {
  const [dockerfile, compose] = [read('docker/Dockerfile'), read('docker/compose.yaml')];
  for (const { argv } of commands.filter(({ argv: [program] }) => program === 'docker')) {
    const args = argv.slice(1);
    const after = (option: string): string | undefined => args[args.indexOf(option) + 1];
    if (args.includes('-f')) expect(existsSync(join(ROOT, after('-f') ?? ''))).toBe(true);
    if (args.includes('--target')) expect(dockerfile).toMatch(new RegExp(` AS ${after('--target')}$`, 'm'));
    const service = args.includes('exec')
      ? after('exec')
      : args.includes('run')
        ? after('--no-deps')
        : undefined;
    if (args[0] === 'compose' && service !== undefined)
      expect(compose).toMatch(new RegExp(`^ {2}${service}:`, 'm'));
  }
  // Variables of the environment that are set before it.
  for (const { text } of docsBlocks())
    for (const [, name = ''] of text.matchAll(/^export (SEALFLOW_\w+)=/gm))
      expect(compose).toContain(`\${${name}:`);
});

test('users: the IDs of hosts are those of the images', () => {
  const dockerfile = read('docker/Dockerfile');
  const [uid, gid] = ['UID', 'GID'].map(
    (name) => new RegExp(`^ARG ${name}=(\\d+)$`, 'm').exec(dockerfile)?.[1],
  );
  expect(linesOf('groupadd')).toEqual([['--gid', gid, 'sealflow']]);
  expect(linesOf('useradd')[0]?.slice(0, 4)).toEqual(['--uid', uid, '--gid', gid]);
});

test('temporal: a server for a trial has settings of the embedded one', () => {
  const place = { databaseFile: '/var/lib/temporal/temporal.db', namespace: 'default', ip: '0.0.0.0' };
  const cli = { path: '', version: TEMPORAL_CLI_VERSION, source: 'PATH' } as unknown;
  const ours = serverArguments(cli as Parameters<typeof serverArguments>[0], {
    ...place,
    ...{ port: 7233, uiPort: 8233 },
  });
  const pairs = (args: readonly string[]): string[] =>
    (args.join(' ').match(/--\S+( [^-]\S*)?/g) ?? []).sort();
  for (const args of linesOf('temporal')) {
    expect(args.slice(0, 2)).toEqual(['server', 'start-dev']);
    expect(pairs(ours)).toEqual(expect.arrayContaining(pairs(args)));
  }
});

test('the chain: methods, requests and scripts are those that there are', () => {
  const methods = linesOf('lotus').flatMap((args) =>
    args.includes('--method') ? [args[args.indexOf('--method') + 1]] : [],
  );
  expect(methods).toEqual([preCommitSectorBatch2([]).method, proveCommitSectors3([]).method].map(String));
  for (const args of linesOf('curl')) {
    const { method, params } = JSON.parse(args.at(-1) ?? '') as { method: string; params: unknown[] };
    expect(preCommitValue('t01000', []).ask).toContainEqual({ method, params });
  }
  for (const [file = '', ...args] of [...linesOf('node'), ...linesOf('bash')]) {
    expect(existsSync(join(ROOT, file)), file).toBe(true);
    if (file.endsWith('.mjs')) expect(read(file)).toContain(`node lotus.mjs ${args[0]} `);
  }
});
