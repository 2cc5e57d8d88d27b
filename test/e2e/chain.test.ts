/** Sectors that follow a chain: nobody types ticket, seed or landing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { SEED_DELAY, FINALITY } from '../../src/chain/policy.js';
import { sectorCid } from '../../src/chain/cids.js';
import { startSector } from '../../src/temporal/ask/start-sector.js';
import { eventually } from '../helpers/eventually.js';
import { TestChain } from '../helpers/chain.js';
import type { Group } from '../helpers/group.js';
import { expectForms } from '../helpers/json-forms.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import { startSealflow } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

let chain: TestChain;
let cluster: OwnCluster;
let group: Group;

beforeAll(async () => {
  chain = await TestChain.start();
  const directory = await mkdtemp(join(tmpdir(), 'sealflow-chain-'));
  const config = join(directory, 'orchestrator.toml');
  await writeFile(config, chain.config);
  cluster = await OwnCluster.start(undefined, '--config', config);
  group = await cluster.lastingGroup();
  await group.host(1);
  await cluster.untilServed(group);
  return async () => {
    await cluster.end();
    chain.end();
    await rm(directory, { recursive: true });
  };
});

const start = (...args: string[]) =>
  cluster.sealflow(
    ...['start', ...args, '--group', String(group.number), '--size', group.size, '--time-scale', '0.2'],
  );

/** In a group that nobody serves: it costs nothing. */
const queue = (...args: string[]) =>
  cluster.sealflow('start', ...args, '--group', '49', '--size', group.size, '--force');

/** What the operator's own programs do: the pre-commit lands as soon as there is a commR. @returns its epoch */
async function preCommits(sector: string, change = (cid: string): string => cid): Promise<number> {
  await eventually(async () => (await cluster.status(sector)).commR !== undefined);
  const commR = (await cluster.status(sector)).commR ?? '';
  return chain.preCommit(sector, change(sectorCid(Buffer.from(commR, 'base64'))));
}

const isIn = (sector: string, state: string) => async (): Promise<boolean> =>
  (await cluster.status(sector)).state === state;
const shown = async (sector: string): Promise<string> => (await cluster.sealflow('status', sector)).stdout;

/** Sectors that show a state, as people find them in lists. */
async function sectorsIn(state: string): Promise<string[]> {
  const sectors: string[] = [];
  const query = `SealState = '${state}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of cluster.client.workflow.list({ query }))
    sectors.push(workflowId.replace(/^seal-(.*)-/, '$1/'));
  return sectors;
}

/** Until the proofs of these are on chain, it pre-commits and proves whatever is that far; but for some that it forgets. */
async function operate(sectors: readonly string[], forgets: readonly string[] = []): Promise<void> {
  const left = new Set(sectors.filter((sector) => !forgets.includes(sector)));
  await eventually(async () => {
    for (const sector of await sectorsIn('waiting-for-seed'))
      if (left.has(sector) && chain.landedAt(sector) === undefined) await preCommits(sector);
    for (const sector of await sectorsIn('waiting-for-landed')) if (left.delete(sector)) chain.prove(sector);
    return left.size === 0;
  });
}

test('twenty sectors of two miners, with null rounds, a reorganisation, a node that is down and two orchestrators, need no hand', async () => {
  const config = join(await temporaryDirectory(), 'orchestrator.toml');
  await writeFile(config, chain.config);
  const second = startSealflow(['orchestrator', '--address', cluster.address, '--config', config]);
  await second.until('orchestrator ready');
  onTestFinished(() => second.kill('SIGKILL'));
  chain.hasNullRounds = true;
  for (const miner of ['t02000', 't02001'])
    expect(await start(miner, '--count', '10')).toMatchObject({ code: 0, stderr: '' });
  const sectors = ['t02000', 't02001'].flatMap((miner) =>
    Array.from({ length: 10 }, (_, number) => `${miner}/${number}`),
  );
  const forgotten = 't02001/9';
  const operating = operate(sectors, [forgotten]);
  await eventually(() => sectors.filter((sector) => chain.landedAt(sector) !== undefined).length >= 5);
  const moved = chain.reorganise(1_000);
  chain.fault = 'down';
  const down = chain.epoch;
  await eventually(() => chain.epoch > down + SEED_DELAY);
  chain.fault = undefined;
  await operating;

  await eventually(isIn(forgotten, 'waiting-for-seed'));
  await eventually(async () =>
    (await shown(forgotten)).includes('waits for its pre-commit, which is not on chain at epoch '),
  );
  await operate([forgotten]);
  await Promise.all(sectors.map(cluster.sealed.bind(cluster)));

  expect(moved.length).toBeGreaterThanOrEqual(5);
  for (const sector of sectors) {
    const { ticket, ticketEpoch = 0, seed, preCommitEpoch = 0 } = await cluster.status(sector);
    expect(preCommitEpoch).toBe(chain.landedAt(sector));
    expect(ticket).toBe(chain.draw('Tickets', ticketEpoch, sector));
    expect(seed).toBe(chain.draw('Beacon', preCommitEpoch + SEED_DELAY, sector));
    expect(chain.epoch - ticketEpoch).toBeGreaterThan(FINALITY);
    const { activities } = await cluster.history(sector);
    expect(activities.filter((name) => /^(draw|await)/.test(name))).toEqual([
      'drawTicket',
      'awaitSeed',
      'awaitLanded',
    ]);
  }
  const draws = chain.asked.filter((method) => method.endsWith('RandomnessFromTickets'));
  expect(draws).toHaveLength(sectors.length);
  chain.hasNullRounds = false;
  second.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
});

test('numbers are free on chain and here, though the command sees no chain', async () => {
  chain.useUp('t02002', 0, 1, 4);
  chain.preCommit('t02002/2', 'bagboea4b5abc');
  const place = { size: group.size, group: 49, ticket: 'ab'.repeat(32) };
  await startSector(cluster.client, { sector: 't02002/5', ...place });
  // Lists lag.
  await eventually(
    async () => (await cluster.client.workflow.count("WorkflowId = 'seal-t02002-5'")).count > 0,
  );
  const asks = () => chain.asked.filter((method) => method.endsWith('StateMinerAllocated')).length;
  const before = asks();
  const { stdout } = await queue('t02002', '--count', '3', '--ticket', 'ab'.repeat(32), '--json');
  const started = expectForms('start', stdout) as { sector: string; freeAt: number }[];
  expect(started.map(({ sector }) => sector)).toEqual(['t02002/3', 't02002/6', 't02002/7']);
  // What is used here is known beforehand: the chain is asked for as many more.
  expect(asks()).toBe(before + 1);
  for (const { freeAt } of started) expect(freeAt).toBeLessThanOrEqual(chain.epoch);
  const more = await queue('t02002', '--count', '1', '--ticket', 'ab'.repeat(32));
  expect(more.stdout).toMatch(
    /^t02002\/8 started .*\n1 started: t02002\/8; these numbers were free here, and on chain at epoch \d+\n$/,
  );
});

test('without an answer of the chain no number is taken', async () => {
  chain.fault = 'refuses the token';
  try {
    expect(await queue('t02003', '--count', '3', '--chain')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^sealflow: t02003: which numbers are free on chain is not known: http\S+ refuses the token: none is set \(token_file\)\n {2}mend it, or name/,
      ) as string,
    });
  } finally {
    chain.fault = undefined;
  }
  expect((await queue('t02003', '--count', '1', '--test')).stdout).toMatch(/^t02003\/0 started/);
});

test('a pre-commit that a reorganisation moves brings its new seed, and the proof is made again', async () => {
  const [sector] = [cluster.newSector()];
  await start(sector);
  const first = await preCommits(sector);
  await eventually(isIn(sector, 'waiting-for-landed'));
  const { seed } = await cluster.status(sector);
  const second = await preCommits(sector);
  await eventually(async () => (await cluster.status(sector)).preCommitEpoch === second);
  expect(second).toBeGreaterThan(first);
  await eventually(isIn(sector, 'waiting-for-landed'));
  const moved = await cluster.status(sector);
  expect(moved.seed).toBe(chain.draw('Beacon', second + SEED_DELAY, sector));
  expect(moved.seed).not.toBe(seed);
  expect(await group.starts(sector, 'P4')).toHaveLength(2);
  chain.prove(sector);
  await cluster.sealed(sector);
});

test('another commR on chain needs a person', async () => {
  const sector = cluster.newSector();
  await start(sector);
  await preCommits(sector, () => sectorCid(new Uint8Array(32)));
  const { type, phase, message } = await cluster.attention(sector);
  expect([type, phase]).toEqual(['ChainDiffers', 'P3']);
  expect(message).toContain(`${sectorCid(new Uint8Array(32))} is pre-committed at epoch `);
  await preCommits(sector);
  await cluster.sealflow('retry', sector);
  await eventually(isIn(sector, 'waiting-for-landed'));
  expect(await cluster.sealflow('landed', sector)).toMatchObject({ code: 0 });
  await cluster.sealed(sector);
});

test('a node that is down is waited for, and status says so; a person may give what it would', async () => {
  const sector = cluster.newSector();
  chain.fault = 'down';
  try {
    await start(sector);
    await eventually(isIn(sector, 'waiting-for-ticket'));
    await eventually(async () =>
      /P1 .*waits for the chain: http\S+ does not answer: /.test(await shown(sector)),
    );
  } finally {
    chain.fault = undefined;
  }
  await eventually(isIn(sector, 'waiting-for-seed'));
  expect(await cluster.sealflow('seed', sector, 'ab'.repeat(32))).toMatchObject({ code: 0 });
  await eventually(isIn(sector, 'waiting-for-landed'));
  await cluster.sealflow('landed', sector);
  await cluster.sealed(sector);
});

test('an orchestrator that ends leaves what it waits for to the next one, which asks a program', async () => {
  const sector = cluster.newSector();
  await start(sector);
  await eventually(isIn(sector, 'waiting-for-seed'));
  const config = join(await temporaryDirectory(), 'orchestrator.toml');
  await writeFile(config, chain.commandConfig);
  const next = startSealflow(['orchestrator', '--address', cluster.address, '--config', config]);
  await next.until('watches the network of [chain] by env LOTUS_RPC=');
  await cluster.endOrchestrator();
  await preCommits(sector);
  await eventually(isIn(sector, 'waiting-for-landed'));
  chain.prove(sector);
  await cluster.sealed(sector);
  next.kill('SIGTERM');
  expect((await next.ended).code).toBe(0);
  expect(await start(cluster.newSector(), '--force')).toMatchObject({ code: 0 });
});
