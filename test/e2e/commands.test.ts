/**
 * Each command under each condition: the forms of sector names, sectors in different states, no server, no namespace, no
 * setup, no orchestrator. A new command joins by its line in the table (test/helpers/command-table.ts).
 */
import type { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { WORKFLOW_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contract.js';
import { JSON_FORMS } from '../../src/cli/json-forms.js';
import { commandNames } from '../../src/cli/run-command.js';
import { sectorOf } from '../../src/sector.js';
import { setUpNamespace, type SearchAttributes } from '../../src/temporal/embedded/namespace.js';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import {
  CommandSite,
  expectClear,
  fileOf,
  needing,
  rows,
  SERVICES,
  programOf,
  TABLE,
} from '../helpers/command-table.js';
import { eventually } from '../helpers/eventually.js';
import { command } from '../helpers/in-process.js';
import { expectForms } from '../helpers/json-forms.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let site: CommandSite;

beforeAll(async () => {
  site = await CommandSite.join();
  return () => site.cluster.end();
});

test('each command is in the table', () => {
  const names = new Set([...Object.keys(TABLE).map(programOf), ...SERVICES]);
  expect([...names].sort()).toEqual(commandNames().sort());
});

describe('sectors', () => {
  test.for(rows('sectors'))('%s takes each form of a name', async ([name]) => {
    const sector = site.cluster.newSector();
    const [miner = '', number = ''] = sector.split('/');
    const forms = [sector, sector.replace('t', 'f'), `s-${miner}-${number}`, `${sector}-${number}`];
    const file = await fileOf('# all of them', ...forms);
    const end = await command(await site.argsOf(name, [...forms, `@${file}`]), site.env);
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
      const sectors = await site.mixed();
      const end = await command(await site.argsOf(name, sectors), site.env);
      expectClear(end);
      expect(end.code).toBe(1);
      for (const sector of sectors)
        expect(`${end.stdout}${end.stderr}`).toMatch(new RegExp(`\\b${sector}\\b`));
    },
  );

  test.for(rows('sectors'))('%s of a range: all are done, each is told', async ([name]) => {
    const [first = '', , last = ''] = await site.mixed();
    const end = await command(await site.argsOf(name, [`${first}-${last.split('/')[1]}`]), site.env);
    expectClear(end);
    expect(end.code).toBe(1);
    const [miner = '', from = ''] = first.split('/');
    for (const i of [0, 1, 2])
      expect(`${end.stdout}${end.stderr}`).toMatch(new RegExp(`\\b${miner}/${Number(from) + i}\\b`));
  });

  test.for(rows('sectors', 'seed'))('%s refuses what is none, and does nothing', async ([name]) => {
    const sector = site.cluster.newSector();
    for (const wrong of [
      'x01000/1',
      't09223372036854775808/1',
      't01000/9007199254740992',
      '@/no/such/file',
    ]) {
      const end = await command(await site.argsOf(name, [sector, wrong]), site.env);
      expectClear(end);
      expect([wrong, end.code, end.stdout]).toEqual([wrong, 2, '']);
    }
    await expect(site.cluster.handle(sector).describe()).rejects.toThrow();
  });
});

describe('JSON', () => {
  test.for(Object.entries(TABLE).filter(([name]) => programOf(name) in JSON_FORMS))(
    'of %s has its form',
    async ([name]) => {
      const end = await command([...(await site.argsOf(name, await site.mixed())), '--json'], site.env);
      expectClear(end);
      expectForms(programOf(name), end.stdout);
    },
  );

  test('of the list of sectors has its form', async () => {
    await site.mixed();
    const end = await site.cluster.sealflow('status', '--json');
    expect(end.code).toBe(0);
    expectForms('status', end.stdout);
  });
});

describe('what is not there', () => {
  test.for(needing('orchestrator', 'set up', 'namespace', 'server'))('no server: %s', async ([name]) => {
    const args = await site.argsOf(name, [site.cluster.newSector()]);
    const end = await command(
      args.map((arg) => (arg === site.cluster.address ? '127.0.0.1:1' : arg)),
      site.env,
    );
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('no Temporal server answers at 127.0.0.1:1');
  });

  test.for(needing('orchestrator', 'set up', 'namespace'))('no such namespace: %s', async ([name]) => {
    const end = await command(await site.argsOf(name, [site.cluster.newSector()]), {
      TEMPORAL_NAMESPACE: 'typo',
    });
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain('has no namespace typo');
  });

  test.for(needing('set up'))('no setup: %s', async ([name]) => {
    await namespace('bare', {});
    const end = await command(await site.argsOf(name, [site.cluster.newSector()]), {
      TEMPORAL_NAMESPACE: 'bare',
    });
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toMatch(
      /^sealflow: namespace bare is not set up for sealflow: it lacks search attributes\n {2}sealflow setup adds them/,
    );
  });

  test('no setup: the list of sectors', async () => {
    await namespace('bare', {});
    const end = await command(['status', '--address', site.cluster.address], { TEMPORAL_NAMESPACE: 'bare' });
    expect(end).toMatchObject({ code: 2, stdout: '' });
  });

  test.for(needing('orchestrator'))('no orchestrator: %s', async ([name]) => {
    await namespace('quiet', SEARCH_ATTRIBUTES);
    const end = await command(await site.argsOf(name, [site.cluster.newSector()]), {
      TEMPORAL_NAMESPACE: 'quiet',
    });
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toMatch(
      /^sealflow: no orchestrator runs: nobody polls the queue sealflow\n {2}run sealflow/,
    );
  });

  test('no orchestrator: start, but with --force', async () => {
    await namespace('quiet', SEARCH_ATTRIBUTES);
    const quiet = { TEMPORAL_NAMESPACE: 'quiet' };
    const sector = site.cluster.newSector();
    const args = await site.argsOf('start', [sector]);
    const end = await command(
      args.filter((arg) => arg !== '--force'),
      quiet,
    );
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('no orchestrator runs');
    expect(await command(args, quiet)).toMatchObject({ code: 0, stderr: '' });
    const status = await command(await site.argsOf('status', [sector]), quiet);
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
  const [, open = ''] = await site.mixed();
  const sector = site.cluster.newSector();
  const id = workflowId(sectorOf(sector));
  const handle = await site.cluster.client.workflow.start(type, { workflowId: id, taskQueue });
  if (taskQueue === 'nobody') await handle.terminate();
  try {
    await eventually(async () => {
      const end = await site.cluster.sealflow('status', sector, open);
      expectClear(end);
      expect(end).toMatchObject({ code: 1, stdout: expect.stringContaining(open) as string });
      return end.stderr.includes(`sealflow: ${sector}: its workflow cannot tell its status: ${why}`);
    });
  } finally {
    await handle.terminate().catch(() => undefined);
  }
});

/** Makes a namespace with these search attributes, in which nobody polls. */
async function namespace(name: string, searchAttributes: SearchAttributes): Promise<void> {
  const connection = site.cluster.client.connection as Connection;
  await setUpNamespace(connection, { namespace: name, retentionDays: 1, searchAttributes });
}
