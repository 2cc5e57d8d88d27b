/**
 * Each command under each condition: the forms of sector names, sectors in different states, no server, no namespace, no
 * setup, no orchestrator, nobody who reads, Ctrl-C. A new command joins by its line in the table.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { WORKFLOW_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contract.js';
import { JSON_FORMS } from '../../src/cli/json-forms.js';
import { commandNames, ONLY_TELL } from '../../src/cli/run-command.js';
import { sectorOf } from '../../src/sector.js';
import { setUpNamespace, type SearchAttributes } from '../../src/temporal/embedded/namespace.js';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import { Cluster } from '../helpers/cluster.js';
import { engineProgram } from '../helpers/engine-program.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { command } from '../helpers/in-process.js';
import { expectForms } from '../helpers/json-forms.js';
import { MAIN, startSealflow, type End } from '../helpers/sealflow.js';
import { run } from '../helpers/commands.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HEX = 'ab'.repeat(32);
const PLACE = ['--group', '49', '--size', '2KiB'];

interface Row {
  /** What its arguments name. */
  takes: 'sectors' | 'seed' | 'nothing';
  /** What must answer it. */
  needs: 'orchestrator' | 'set up' | 'namespace' | 'server' | 'config';
  args?: string[];
  /** Arguments with which it waits, until Ctrl-C. */
  waits?: string[];
}

/** By name, with what it has before its sectors. */
const TABLE: Record<string, Row> = {
  abort: { takes: 'sectors', needs: 'orchestrator', args: ['--yes', '--no-wait'], waits: ['--yes'] },
  cancel: { takes: 'sectors', needs: 'namespace', args: ['--no-wait'], waits: [] },
  doctor: { takes: 'nothing', needs: 'config' },
  drain: { takes: 'nothing', needs: 'config' },
  undrain: { takes: 'nothing', needs: 'config' },
  health: { takes: 'nothing', needs: 'namespace', args: ['--orchestrator'] },
  landed: { takes: 'sectors', needs: 'orchestrator' },
  'message precommit': { takes: 'sectors', needs: 'orchestrator' },
  'message prove-commit': { takes: 'sectors', needs: 'orchestrator' },
  priority: { takes: 'sectors', needs: 'orchestrator', args: ['high'] },
  retry: { takes: 'sectors', needs: 'orchestrator' },
  seed: { takes: 'seed', needs: 'orchestrator' },
  setup: { takes: 'nothing', needs: 'server' },
  start: {
    takes: 'sectors',
    needs: 'set up',
    args: [...PLACE, '--test', '--force'],
    waits: [...PLACE, '--test', '--force', '--wait'],
  },
  status: { takes: 'sectors', needs: 'set up' },
  verify: { takes: 'sectors', needs: 'config' },
};
/** They go on until they are ended, and have tests of their own. */
const SERVICES = ['dev', 'worker', 'orchestrator'];

let cluster: Cluster;
let group: Group;
let config: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  config = await group.writeConfig(1);
  const receipts = join(group.node, 'receipts');
  await run('mkdir', receipts);
  env = { SEALFLOW_ENGINE: await engineProgram(group.root) };
  return () => cluster.end();
});

const rows = (...takes: Row['takes'][]): [string, Row][] =>
  Object.entries(TABLE).filter(([, row]) => takes.includes(row.takes));
const needing = (...needs: Row['needs'][]): [string, Row][] =>
  Object.entries(TABLE).filter(([, row]) => needs.includes(row.needs));

/** `message` of `message precommit`. */
const programOf = (name: string): string => name.split(' ')[0] ?? '';

/** The arguments for these sectors. */
async function argsOf(
  name: string,
  sectors: readonly string[],
  given = TABLE[name]?.args,
): Promise<string[]> {
  const row = TABLE[name] as Row;
  const target = {
    nothing: async () => await Promise.resolve([]),
    sectors: async () => await Promise.resolve(sectors),
    seed: async () => [`@${await fileOf(...sectors.map((sector) => `${sector} ${HEX}`))}`],
  }[row.takes];
  const place = {
    config: ['--config', config],
    server: ['--address', cluster.address],
  }[row.needs === 'config' ? 'config' : 'server'];
  return [...name.split(' '), ...(await target()), ...(given ?? []), ...place];
}

async function fileOf(...lines: string[]): Promise<string> {
  const file = join(await temporaryDirectory(), 'lines');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

/** A sector without a workflow; one whose workflow runs, in a group that nobody serves; one whose workflow has ended. */
async function mixed(): Promise<string[]> {
  const [none, open, ended] = [cluster.newSector(), cluster.newSector(), cluster.newSector()];
  for (const sector of [open, ended]) await cluster.start(group, sector);
  await eventually(async () => (await cluster.status(open)).phases.P1.state === 'queued');
  await cluster.handle(ended).terminate();
  return [none, open, ended];
}

function expectClear({ stdout, stderr }: End): void {
  for (const text of ['unexpected error', '    at ', 'node:'])
    expect(`${stdout}\n${stderr}`).not.toContain(text);
}

test('each command is in the table', () => {
  const names = new Set([...Object.keys(TABLE).map(programOf), ...SERVICES]);
  expect([...names].sort()).toEqual(commandNames().sort());
});

describe('sectors', () => {
  test.for(rows('sectors'))('%s takes each form of a name', async ([name]) => {
    const sector = cluster.newSector();
    const [miner = '', number = ''] = sector.split('/');
    const forms = [sector, sector.replace('t', 'f'), `s-${miner}-${number}`, `${sector}-${number}`];
    const file = await fileOf('# all of them', ...forms);
    const end = await command(await argsOf(name, [...forms, `@${file}`]), env);
    expectClear(end);
    const told = `${end.stdout}${end.stderr}`
      .split('\n')
      .filter((line) => new RegExp(`${sector}\\b`).test(line));
    // One sector, named in four ways, is acted on once: a line, and a second with what to do.
    expect(told.length, told.join('\n')).toBeLessThanOrEqual(2);
    expect(told.length).toBeGreaterThan(0);
  });

  test.for(rows('sectors', 'seed'))(
    '%s of several in different states: all are done, each is told',
    async ([name]) => {
      const sectors = await mixed();
      const end = await command(await argsOf(name, sectors), env);
      expectClear(end);
      expect(end.code).toBe(1);
      for (const sector of sectors)
        expect(`${end.stdout}${end.stderr}`).toMatch(new RegExp(`\\b${sector}\\b`));
    },
  );

  test.for(rows('sectors'))('%s of a range: all are done, each is told', async ([name]) => {
    const [first = '', , last = ''] = await mixed();
    const end = await command(await argsOf(name, [`${first}-${last.split('/')[1]}`]), env);
    expectClear(end);
    expect(end.code).toBe(1);
    const [miner = '', from = ''] = first.split('/');
    for (const i of [0, 1, 2])
      expect(`${end.stdout}${end.stderr}`).toMatch(new RegExp(`\\b${miner}/${Number(from) + i}\\b`));
  });

  test.for(rows('sectors', 'seed'))('%s refuses what is none, and does nothing', async ([name]) => {
    const sector = cluster.newSector();
    for (const wrong of [
      'x01000/1',
      't09223372036854775808/1',
      't01000/9007199254740992',
      '@/no/such/file',
    ]) {
      const end = await command(await argsOf(name, [sector, wrong]), env);
      expectClear(end);
      expect([wrong, end.code, end.stdout]).toEqual([wrong, 2, '']);
    }
    await expect(cluster.handle(sector).describe()).rejects.toThrow();
  });
});

describe('JSON', () => {
  test.for(Object.entries(TABLE).filter(([name]) => programOf(name) in JSON_FORMS))(
    'of %s has its form',
    async ([name]) => {
      const end = await command([...(await argsOf(name, await mixed())), '--json'], env);
      expectClear(end);
      expectForms(programOf(name), end.stdout);
    },
  );

  test('of the list of sectors has its form', async () => {
    await mixed();
    const end = await cluster.sealflow('status', '--json');
    expect(end.code).toBe(0);
    expectForms('status', end.stdout);
  });
});

describe('what is not there', () => {
  test.for(needing('orchestrator', 'set up', 'namespace', 'server'))('no server: %s', async ([name]) => {
    const args = await argsOf(name, [cluster.newSector()]);
    const end = await command(
      args.map((arg) => (arg === cluster.address ? '127.0.0.1:1' : arg)),
      env,
    );
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('no Temporal server answers at 127.0.0.1:1');
  });

  test.for(needing('orchestrator', 'set up', 'namespace'))('no such namespace: %s', async ([name]) => {
    const end = await command(await argsOf(name, [cluster.newSector()]), { TEMPORAL_NAMESPACE: 'typo' });
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain('has no namespace typo');
  });

  test.for(needing('set up'))('no setup: %s', async ([name]) => {
    await namespace('bare', {});
    const end = await command(await argsOf(name, [cluster.newSector()]), { TEMPORAL_NAMESPACE: 'bare' });
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toMatch(
      /^sealflow: namespace bare is not set up for sealflow: it lacks search attributes\n {2}sealflow setup adds them/,
    );
  });

  test('no setup: the list of sectors', async () => {
    await namespace('bare', {});
    const end = await command(['status', '--address', cluster.address], { TEMPORAL_NAMESPACE: 'bare' });
    expect(end).toMatchObject({ code: 2, stdout: '' });
  });

  test.for(needing('orchestrator'))('no orchestrator: %s', async ([name]) => {
    await namespace('quiet', SEARCH_ATTRIBUTES);
    const end = await command(await argsOf(name, [cluster.newSector()]), { TEMPORAL_NAMESPACE: 'quiet' });
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toMatch(
      /^sealflow: no orchestrator runs: nobody polls the queue sealflow\n {2}run sealflow/,
    );
  });

  test('no orchestrator: start, but with --force', async () => {
    await namespace('quiet', SEARCH_ATTRIBUTES);
    const quiet = { TEMPORAL_NAMESPACE: 'quiet' };
    const sector = cluster.newSector();
    const args = await argsOf('start', [sector]);
    const end = await command(
      args.filter((arg) => arg !== '--force'),
      quiet,
    );
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('no orchestrator runs');
    expect(await command(args, quiet)).toMatchObject({ code: 0, stderr: '' });
    const status = await command(await argsOf('status', [sector]), quiet);
    expect(status).toMatchObject({ code: 1, stdout: '' });
    expect(status.stderr).toContain('no orchestrator runs');
  });
});

test.each([
  ['has ended before its first task', WORKFLOW_TYPE, 'nobody', 'Workflow execution closed before'],
  [
    'fails at each task',
    'noSuchType',
    WORKFLOW_QUEUE,
    'Unable to query workflow due to Workflow Task in failed',
  ],
])('a workflow that %s has no status, and hides no other', async (_, type, taskQueue, why) => {
  const [, open = ''] = await mixed();
  const sector = cluster.newSector();
  const id = workflowId(sectorOf(sector));
  const handle = await cluster.client.workflow.start(type, { workflowId: id, taskQueue });
  if (taskQueue === 'nobody') await handle.terminate();
  try {
    await eventually(async () => {
      const end = await cluster.sealflow('status', sector, open);
      expectClear(end);
      expect(end).toMatchObject({ code: 1, stdout: expect.stringContaining(open) as string });
      return end.stderr.includes(`sealflow: workflow ${id} cannot tell its status: ${why}`);
    });
  } finally {
    await handle.terminate().catch(() => undefined);
  }
});

describe('processes', () => {
  test.for(Object.entries(TABLE))('nobody reads what %s prints: it ends quietly', async ([name]) => {
    const end = await unread(await argsOf(name, await mixed()));
    expect(end.stderr).not.toMatch(/EPIPE|unexpected|node:| at /);
    // 0 and 1 where it has printed all in one piece.
    if (ONLY_TELL.has(programOf(name))) expect(['0', '1', '141']).toContain(end.code);
  });

  test.for(Object.entries(TABLE).filter(([, { waits }]) => waits))(
    'Ctrl-C while %s waits',
    async ([name, { waits }]) => {
      const sector = cluster.newSector();
      if (name !== 'start') await cluster.start(group, sector);
      const running = startSealflow(await argsOf(name, [sector], waits));
      if (name === 'start')
        await eventually(async () => (await cluster.status(sector).catch(() => undefined)) !== undefined);
      else await running.until(`${sector} waits: `);
      running.kill('SIGINT');
      const end = await running.ended;
      expect(end.code).toBe('SIGINT');
      expectClear(end);
    },
  );
});

/** Makes a namespace with these search attributes, in which nobody polls. */
async function namespace(name: string, searchAttributes: SearchAttributes): Promise<void> {
  const connection = cluster.client.connection as Connection;
  await setUpNamespace(connection, { namespace: name, retentionDays: 1, searchAttributes });
}

/** Runs a command whose stdout is closed before it prints. @returns its exit code, and its stderr */
async function unread(args: readonly string[]): Promise<{ code: string; stderr: string }> {
  const script = '"$@" 2>"$ERRORS" | true; echo ${PIPESTATUS[0]}';
  const errors = join(await temporaryDirectory(), 'stderr');
  const program = ['env', `ERRORS=${errors}`, 'SEALFLOW_ENGINE=' + (env['SEALFLOW_ENGINE'] ?? '')];
  const [first = '', ...rest] = [...program, 'bash', '-c', script, 'bash', process.execPath, MAIN, ...args];
  const code = (await run(first, ...rest)).trim();
  return { code, stderr: await run('cat', errors) };
}
