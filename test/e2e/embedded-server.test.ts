import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { sealMiner, sealSectorNumber } from '../../src/search-attributes.js';
import { findRunningServer } from '../../src/temporal/embedded/data-directory.js';
import { startEmbeddedServer, type EmbeddedServer } from '../../src/temporal/embedded/embedded-server.js';
import { setUpNamespace } from '../../src/temporal/embedded/namespace.js';
import { findTemporalCli, type TemporalCli } from '../../src/temporal/embedded/temporal-cli.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { startFixture } from '../helpers/program.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 900_000 });

const searchAttributes = { SealMiner: 'Keyword', SealSector: 'Int' } as const;

let cli: TemporalCli;
let dataDir: string;
let servers: EmbeddedServer[];

beforeAll(async () => {
  cli = await findTemporalCli();
});

beforeEach(async () => {
  dataDir = await temporaryDirectory();
  servers = [];
});

// Stop the servers before their directory is deleted: temporaryDirectory's own clean-up runs later.
afterEach(() => Promise.all(servers.map((server) => server.stop())));

async function start(
  options: Partial<Parameters<typeof startEmbeddedServer>[0]> = {},
): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ cli, dataDir, searchAttributes, ...options });
  servers.push(server);
  return server;
}

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** No worker serves its queue, so it stays open. */
const startWorkflow = (client: Client): Promise<unknown> =>
  client.workflow.start('any', {
    taskQueue: 'none',
    workflowId: 'kept',
    typedSearchAttributes: [
      { key: sealMiner, value: 't01000' },
      { key: sealSectorNumber, value: 7 },
    ],
  });

test('serves clients and the Web UI once started, and is gone once stopped', async () => {
  const server = await start();
  expect((await fetch(server.uiUrl)).status).toBe(200);
  await withClient(server.address, async (client) => {
    await startWorkflow(client);
    const { config } = await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(365 * 86_400);
    await eventually(
      async () => (await client.workflow.count('SealMiner = "t01000" AND SealSector > 6')).count === 1,
    );
  });
  expect(await findRunningServer(dataDir)).toMatchObject({ address: server.address, pid: server.pid });
  await server.stop();
  await server.ended;
  expect(await isAlive(server.pid)).toBe(false);
  expect(await findRunningServer(dataDir)).toBeUndefined();
});

test('retains its workflows across a restart', async () => {
  const first = await start();
  await withClient(first.address, startWorkflow);
  await first.stop();
  const second = await start();
  const { status } = await withClient(second.address, (client) =>
    client.workflow.getHandle('kept').describe(),
  );
  expect(status.name).toBe('RUNNING');
});

test('ends when its owner is killed, and retains what it had acknowledged', async () => {
  const owner = startFixture('embedded-server.mjs', [dataDir]);
  const { address, pid } = JSON.parse(await owner.line()) as { address: string; pid: number };
  await withClient(address, (client) =>
    client.workflow.start('any', { taskQueue: 'none', workflowId: 'kept' }),
  );
  owner.kill('SIGKILL');
  expect(await owner.ended).toBe('SIGKILL');
  await eventually(async () => !(await isAlive(pid)));
  const next = await start();
  const { status } = await withClient(next.address, (client) => client.workflow.getHandle('kept').describe());
  expect(status.name).toBe('RUNNING');
});

test('names a port that is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  for (const which of ['port', 'uiPort']) {
    await expect(start({ [which]: port })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`port ${port} `) as string,
    });
  }
  taken.close();
});

test('refuses an address at which its own services cannot reach each other', async () => {
  await expect(start({ ip: '192.0.2.1' })).rejects.toThrow('cannot listen on 192.0.2.1');
});

test('listens for other hosts on request', async () => {
  const server = await start({ ip: '0.0.0.0' });
  await withClient(server.address, startWorkflow);
});

test('refuses a data directory that another server uses, and names that server', async () => {
  const first = await start();
  await expect(start()).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(`process ${first.pid}, ${first.address}`) as string,
  });
});

test('reports why the server does not come up', async () => {
  await writeFile(
    join(dataDir, 'temporal.db'),
    'this is no database, however long it may be looked at'.repeat(100),
  );
  await expect(start()).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining('not a database') as string,
    hint: expect.stringContaining('temporal.log') as string,
  });
});

test('warns when the data was written by a different version', async () => {
  const first = await start();
  await first.stop();
  expect(JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8'))).toMatchObject({
    cli: cli.version,
  });
  await writeFile(join(dataDir, 'server.json'), '{"v":1,"cli":"1.5.0","server":"1.29.0","at":"2026-01-01"}');
  const log = vi.fn();
  await (await start({ log })).stop();
  expect(log).toHaveBeenCalledWith(expect.stringContaining('warning'));
  expect(log).toHaveBeenCalledWith(expect.stringContaining('1.5.0'));
});

test('setUpNamespace creates what is missing, once', async () => {
  const server = await start();
  await withClient(server.address, async ({ connection }) => {
    const setup = { namespace: 'seal', retentionDays: 30, searchAttributes };
    const all = { created: true, retentionRaised: false, attributesAdded: ['SealMiner', 'SealSector'] };
    const none = { created: false, retentionRaised: false, attributesAdded: [] };
    expect(await setUpNamespace(connection as Connection, setup)).toEqual(all);
    expect(await setUpNamespace(connection as Connection, setup)).toEqual(none);
    expect(await setUpNamespace(connection as Connection, { ...setup, retentionDays: 1 })).toEqual(none);
    const longer = await setUpNamespace(connection as Connection, { ...setup, retentionDays: 31 });
    expect(longer).toEqual({ ...none, retentionRaised: true });
    const other = { ...setup, searchAttributes: { SealMiner: 'Int' } as const };
    await expect(setUpNamespace(connection as Connection, other)).rejects.toThrow('not of type Int');
  });
});

test('setUpNamespace replaces an attribute whose type was another in the version before', async () => {
  const server = await start();
  await withClient(server.address, async ({ connection }) => {
    const setup = (SealHost: 'Keyword' | 'KeywordList') => ({
      namespace: 'seal',
      retentionDays: 30,
      searchAttributes: { SealHost },
    });
    await setUpNamespace(connection as Connection, setup('Keyword'));
    const replaced = { created: false, retentionRaised: false, attributesAdded: ['SealHost'] };
    expect(await setUpNamespace(connection as Connection, setup('KeywordList'))).toEqual(replaced);
    const { customAttributes } = await (connection as Connection).operatorService.listSearchAttributes({
      namespace: 'seal',
    });
    expect(customAttributes['SealHost']).toBe(7);
    expect(await setUpNamespace(connection as Connection, setup('KeywordList'))).toMatchObject({
      attributesAdded: [],
    });
  });
});
