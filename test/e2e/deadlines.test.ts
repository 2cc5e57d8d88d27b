/** Tickets that end: in the queue, given by hand, while P1 is under way. A ticket of this chain lasts 94.5 s, 72 s of them when it is drawn. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { BEGUN, NORMAL } from '../../src/contract.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { FAILURES } from '../../src/failures.js';
import { MAX_TICKET_AGE } from '../../src/chain/policy.js';
import { durationsDir } from '../../src/paths.js';
import { sealDeadline, sealLate } from '../../src/search-attributes.js';
import { TestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { OwnCluster } from '../helpers/own-cluster.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 });

let chain: TestChain;
let cluster: OwnCluster;

beforeAll(async () => {
  chain = await TestChain.start();
  const directory = await mkdtemp(join(tmpdir(), 'sealflow-deadlines-'));
  const config = join(directory, 'orchestrator.toml');
  await writeFile(config, chain.config);
  cluster = await OwnCluster.start(undefined, '--config', config);
  return async () => {
    await cluster.end();
    chain.end();
    await rm(directory, { recursive: true });
  };
});

async function group(): Promise<Group> {
  const made = await cluster.group();
  await made.host(1, {
    pools: [
      [1, 'P1'],
      [1, 'P2'],
      [4, 'P3', 'P4'],
      [2, 'P5', 'P6'],
    ],
  });
  await cluster.untilServed(made);
  return made;
}

const start = (of: Group, sector: string, ...more: string[]) =>
  cluster.sealflow(
    ...['start', sector, '--group', `${of.number}`, '--size', of.size, '--time-scale', '0.2', ...more],
  );
const shown = async (...sectors: string[]): Promise<string> =>
  (await cluster.sealflow('status', ...sectors)).stdout;
const isIn = (sector: string, state: string) => async (): Promise<boolean> =>
  (await cluster.status(sector)).state === state;
/** Polling the chain for its pre-commit costs as much as sealing. */
const cancelled = (sector: string): void =>
  onTestFinished(async () => {
    await cluster.handle(sector).cancel();
    await cluster
      .handle(sector)
      .result()
      .catch(() => undefined);
  });

/** A ticket of which so many seconds are left. */
function ticketWith(seconds: number, sector: string): string {
  const epoch = chain.epoch - MAX_TICKET_AGE + Math.round((seconds * 1000) / chain.network.epochMs);
  return `${chain.draw('Tickets', epoch, sector)}@${epoch}`;
}

test('one that has gone stale in the queue is drawn anew, and its sector begins at once', async () => {
  const of = await group();
  const [busy, waiting] = [cluster.newSector(), cluster.newSector()];
  await of.tell(busy, 'P1', 'hold');
  await start(of, busy);
  cancelled(busy);
  await of.engine(busy, 'P1');
  // What was learned by then: P1 takes a minute here.
  const took = Array.from({ length: 9 }, (_, i) => ({ work: `t01000/${i} 1/P1-1`, seconds: 60 }));
  const note = join(durationsDir(of.directory), `${of.ip(1)}-2KiB-P1.json`);
  await writeFile(note, JSON.stringify({ v: 1, took }));
  await start(of, waiting);
  cancelled(waiting);
  await eventually(async () => (await cluster.status(waiting)).phases.P1.state === 'queued');
  const before = await cluster.status(waiting);
  await sleep(Date.parse(before.ticketLife?.until ?? '') - Date.now() - 60_000);
  await of.takeBack(busy, 'P1', 'hold');
  await eventually(isIn(waiting, 'waiting-for-seed'));
  const after = await cluster.status(waiting);
  expect(after.draws).toBeGreaterThan(1);
  expect(after.ticketEpoch).toBeGreaterThan(before.ticketEpoch ?? 0);
  expect(after.ticket).toBe(chain.draw('Tickets', after.ticketEpoch ?? 0, waiting));
  expect(await of.starts(waiting, 'P1')).toHaveLength(1);
  expect(await cluster.failures(waiting)).toContain('TicketStale');
  const said = await shown(waiting);
  expect(said).toContain(`, drawn ${after.draws} times`);
  expect(said).toMatch(/ticket ends in \d+(\.\d+)? (s|min): its pre-commit must be on chain before/);
});

test('one that was given is refused before it starts; if it is started all the same, before an hour is wasted', async () => {
  const of = await group();
  const sector = cluster.newSector();
  const old = ticketWith(-20, sector);
  const refused = await start(of, sector, '--chain', '--ticket', old);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^sealflow: its ticket is 1\.9 min old and has ended 2\d(\.\d)? s ago; P1 and P2 take 1 s in group \d+ \(P1 500 ms at best, P2 500 ms at best\)\n.*draw a newer one: --ticket HEX@EPOCH; a sector that was begun with this one goes on with --force\n$/,
  );
  const future = `${'ab'.repeat(32)}@${chain.epoch + 1_000_000}`;
  expect((await start(of, sector, '--ticket', future)).stderr).toMatch(
    /epoch \d+ of the ticket is still to come: the network of \[chain\] is at \d+/,
  );
  expect(await start(of, sector, '--chain', '--ticket', old, '--force')).toMatchObject({ code: 0 });
  cancelled(sector);
  const { type, message, hint } = await cluster.attention(sector);
  expect([type, hint]).toEqual(['TicketStale', FAILURES.TicketStale.hint]);
  expect(message).toMatch(
    /^its ticket is \S+ min old and has ended \S+ (s|min) ago; P1 and P2 take 1 s on 127\./,
  );
  expect(await of.starts(sector)).toEqual([]);
  const next = ticketWith(60, sector);
  expect((await cluster.sealflow('retry', sector, '--ticket', next)).stdout).toBe(
    `${sector}: back to P1 with a new ticket\n`,
  );
  await eventually(isIn(sector, 'waiting-for-seed'));
  expect(`${(await cluster.status(sector)).ticket}@${(await cluster.status(sector)).ticketEpoch}`).toBe(next);
  // Whoever does not tell the epoch is told nothing.
  const unknown = cluster.newSector();
  expect(await start(of, unknown, '--ticket', 'ab'.repeat(32))).toMatchObject({ code: 0 });
  cancelled(unknown);
  await eventually(isIn(unknown, 'waiting-for-seed'));
  expect(await shown(unknown)).not.toContain('ticket ends');
});

test('of sectors that were begun the one whose ticket ends soon goes first, also if it came last', async () => {
  const of = await group();
  const [busy, calm, urgent] = [cluster.newSector(), cluster.newSector(), cluster.newSector()];
  await of.tell(busy, 'P2', 'hold');
  for (const [sector, ticket] of [
    [busy, 'ab'.repeat(32)],
    [calm, 'ab'.repeat(32)],
    [urgent, ticketWith(85, urgent)],
  ] as const) {
    await start(of, sector, '--ticket', ticket);
    cancelled(sector);
    await eventually(async () =>
      ['queued', 'working'].includes((await cluster.status(sector)).phases.P2.state),
    );
  }
  const priority = async (sector: string) => (await cluster.pending(sector, 'P2'))?.priority?.priorityKey;
  await eventually(async () => (await priority(urgent)) === BEGUN);
  expect(await priority(calm)).toBe(NORMAL);
  await of.takeBack(busy, 'P2', 'hold');
  await Promise.all([calm, urgent].map((sector) => eventually(isIn(sector, 'waiting-for-seed'))));
  const order = (await of.starts(undefined, 'P2')).map(({ sector }) => sector);
  expect(order).toEqual([busy, urgent, calm].map((sector) => sectorFileName(sectorOf(sector))));
});

test('one that will end while P1 is under way is told by then; lists have it first', async () => {
  const of = await group();
  const [late, other] = [cluster.newSector(), cluster.newSector()];
  // Three steps of 10 s: after the first it can be foreseen that 20 s do not do.
  await of.tell(late, 'P1', 'ms', '30000');
  await start(of, late, '--chain', '--ticket', ticketWith(20, late));
  cancelled(late);
  const attributes = async (sector = late) => (await cluster.handle(sector).describe()).typedSearchAttributes;
  await eventually(async () => (await attributes()).get(sealDeadline) !== undefined);
  // The server lists the newest first.
  await start(of, other, '--ticket', ticketWith(60, other));
  cancelled(other);
  await eventually(async () => (await attributes(other)).get(sealDeadline) !== undefined);
  expect((await attributes()).get(sealLate)).toBeUndefined();
  await eventually(async () => (await attributes()).get(sealLate) === 'ticket');
  const { late: why, deadline } = await cluster.status(late);
  expect(Date.parse(deadline?.at ?? '')).toBe((await attributes()).get(sealDeadline)?.getTime());
  expect(why).toMatch(/^P1 \S.*: P1 and P2 still take \S+ s from .*Z, its ticket ends at .*Z$/);
  expect(await shown(late)).toMatch(
    /\n {2}ticket ends in \S+ s: it will miss it \(P1 .* take .*\); sealflow retry \S+ --draw-ticket begins anew\n/,
  );
  const rows = (await shown()).split('\n');
  const at = (sector: string): number => rows.findIndex((row) => row.startsWith(`${sector} `));
  expect(rows[at(late)]).toMatch(/ \S+ s LATE /);
  expect(at(late)).toBeGreaterThan(0);
  expect(at(late)).toBeLessThan(at(other));
  await of.takeBack(late, 'P1', 'ms');
  const again = await cluster.sealflow('retry', late, '--draw-ticket');
  expect(again.stdout).toBe(`${late}: back to P1 with a ticket that is drawn anew\n`);
  await eventually(isIn(late, 'waiting-for-seed'));
  expect(await cluster.status(late)).toMatchObject({ draws: 1 });
  expect((await attributes()).get(sealLate)).toBeUndefined();
});
