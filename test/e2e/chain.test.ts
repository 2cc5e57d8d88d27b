/** Sectors that follow a chain: nobody types ticket, seed and landing. Many at once: chain-many.test.ts. */
import { beforeAll, expect, test, vi } from 'vitest';
import { SEED_DELAY, FINALITY } from '../../src/chain/policy.js';
import { sectorCid } from '../../src/chain/cids.js';
import { startSector } from '../../src/temporal/ask/start-sector.js';
import { ChainSite } from '../helpers/chain-site.js';
import { eventually } from '../helpers/eventually.js';
import { expectForms } from '../helpers/json-forms.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

let site: ChainSite;
let chain: ChainSite['chain'];
let cluster: ChainSite['cluster'];
let group: ChainSite['group'];
let start: ChainSite['start'];
let preCommits: ChainSite['preCommits'];
let isIn: ChainSite['isIn'];
let shown: ChainSite['shown'];

beforeAll(async () => {
  site = await ChainSite.start();
  ({ chain, cluster, group, start, preCommits, isIn, shown } = site);
  return () => site.end();
});

/** In a group that nobody serves: it costs nothing. */
const queue = (...args: string[]) =>
  cluster.sealflow('start', ...args, '--group', '49', '--size', group.size, '--force');

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
  const { ticket, ticketEpoch = 0 } = moved;
  expect(ticket).toBe(chain.draw('Tickets', ticketEpoch, sector));
  expect(chain.epoch - ticketEpoch).toBeGreaterThan(FINALITY);
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
  const next = await site.orchestrator(chain.commandConfig);
  expect(next.said.stderr).toContain('watches the network of [chain] by env LOTUS_RPC=');
  await cluster.endOrchestrator();
  await preCommits(sector);
  await eventually(isIn(sector, 'waiting-for-landed'));
  chain.prove(sector);
  await cluster.sealed(sector);
  next.kill('SIGTERM');
  expect((await next.ended).code).toBe(0);
  expect(await start(cluster.newSector(), '--force')).toMatchObject({ code: 0 });
});
