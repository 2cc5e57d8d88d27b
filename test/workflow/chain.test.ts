/** A sector that follows the chain asks it for what it needs; people may be faster. */
import { ApplicationFailure } from '@temporalio/common';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BEGUN, NORMAL } from '../../src/contract.js';
import { SealError } from '../../src/seal-error.js';
import { scheduled } from '../helpers/history.js';
import { landedUpdate, lateSignal } from '../../src/messages.js';
import { sealDeadline, sealLate } from '../../src/search-attributes.js';
import { eventually } from '../helpers/eventually.js';
import type { ChainActivities, ChainInput } from '../../src/contract-chain.js';
import { COMM_R, fakeActivities, held } from '../helpers/fakes.js';
import { DRAWN, DRAWN_SEED, FakeChain, LANDED, MOVED } from '../helpers/chain-worker.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { SEED, type Sealing } from '../helpers/sealing.js';

const FOLLOWS = { ticket: undefined, seed: undefined, chain: true } as const;

const HOUR = 3_600_000;
/** A ticket that ends after so many hours. */
const lifeFor = (hours: number) => ({
  from: new Date(Date.now() - HOUR).toISOString(),
  until: new Date(Date.now() + hours * HOUR).toISOString(),
});

/** Has no answer, and ends when it is cancelled. */
async function never(): Promise<never> {
  const beat = setInterval(() => heartbeat(), 500);
  await once(cancellationSignal(), 'abort').finally(() => clearInterval(beat));
  throw new Error('cancelled');
}

describe('a sector that follows the chain', () => {
  const orchestrator = useOrchestrator();
  const chain = new FakeChain();
  beforeAll(() => chain.serve(orchestrator.temporal));
  // Before the connection that it uses: hooks that were added later run first.
  afterAll(() => chain.stop());

  async function seal(
    own: Partial<ChainActivities>,
    input: object = {},
    fakes = fakeActivities(),
  ): Promise<Sealing> {
    const sealing = await orchestrator.prepare({ fakes, input: { ...FOLLOWS, ...input } });
    chain.take(sealing.input.sector, own);
    await sealing.start();
    return sealing;
  }

  test('is drawn, sown and landed by it; P6 waits for that, though nobody asked for it', async () => {
    const asked: ChainInput[] = [];
    const sealing = await seal({
      awaitSeed: (input) => Promise.resolve((asked.push(input), DRAWN_SEED)),
      awaitLanded: (input) => Promise.resolve((asked.push(input), LANDED)),
    });
    await sealing.handle.result();
    const { sector } = sealing.input;
    expect(asked).toEqual([
      { v: 1, sector, commR: COMM_R, ticketEpoch: DRAWN.epoch },
      { v: 1, sector, commR: COMM_R, ticketEpoch: DRAWN.epoch, preCommitEpoch: DRAWN_SEED.preCommitEpoch },
    ]);
    expect(sealing.fakes.inputsOf('P1')[0]?.seal).toMatchObject({
      ticket: DRAWN.ticket,
      ticketEpoch: DRAWN.epoch,
    });
    expect(sealing.fakes.inputsOf('P3')[0]?.seal.seed).toBe(DRAWN_SEED.seed);
    expect(await sealing.status()).toMatchObject({
      state: 'sealed',
      chain: true,
      preCommitEpoch: DRAWN_SEED.preCommitEpoch,
    });
  });

  test('does not ask for what was given at the start', async () => {
    const sealing = await seal(
      {
        drawTicket: () => Promise.reject(new Error('asked')),
        awaitLanded: () => Promise.reject(new Error('asked')),
      },
      { ticket: 'ab'.repeat(32), cleanAfter: 'proof' },
    );
    await sealing.handle.result();
  });

  test('takes what a person gives first, and the question ends', async () => {
    const sealing = await seal({ awaitSeed: never, awaitLanded: never });
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    expect(await sealing.details()).toContain('waits for its pre-commit on chain, and then for its seed');
    await sealing.provideSeed({ seed: SEED });
    await sealing.until(({ state }) => state === 'waiting-for-landed');
    await sealing.handle.executeUpdate(landedUpdate, { args: [{}] });
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P3')[0]?.seal.seed).toBe(SEED);
  });

  test('makes the proof again with the seed of a pre-commit that has moved', async () => {
    const landings = [{ ...MOVED, landed: false as const }, LANDED];
    const sealing = await seal({ awaitLanded: () => Promise.resolve(landings.shift() ?? LANDED) });
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P4').map(({ seal: { seed } }) => seed)).toEqual([
      DRAWN_SEED.seed,
      MOVED.seed,
    ]);
    expect(sealing.fakes.calls('P5')).toBe(1);
    expect((await sealing.status()).preCommitEpoch).toBe(MOVED.preCommitEpoch);
  });

  test('needs a person when the chain holds another commR, and asks again after a retry', async () => {
    let asked = 0;
    const differs = ApplicationFailure.nonRetryable('commR x is pre-committed', 'ChainDiffers', {
      host: 'here',
    });
    const sealing = await seal({
      awaitSeed: () => (++asked === 1 ? Promise.reject(differs) : Promise.resolve(DRAWN_SEED)),
    });
    await sealing.untilAttention('P3');
    await sealing.retry();
    await sealing.handle.result();
    expect(asked).toBe(2);
  });

  test('draws its ticket anew as often as P1 comes too late to begin with it, and nobody is asked', async () => {
    const stale = (needsMs: number) => new SealError('TicketStale', 'ends in 1 h; takes 2 h', { needsMs });
    const draws = [1, 2, 3].map((n) => ({
      ...DRAWN,
      ticket: `${n}a`.repeat(32),
      epoch: n,
      life: lifeFor(n),
    }));
    const fakes = fakeActivities({ P1: [stale(2 * HOUR), stale(3 * HOUR)] });
    const sealing = await seal({ drawTicket: () => Promise.resolve(draws.shift() ?? DRAWN) }, {}, fakes);
    await sealing.handle.result();
    const inputs = fakes.inputsOf('P1');
    expect(inputs.map(({ seal, claim }) => [seal.ticketEpoch, claim])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const status = await sealing.status();
    expect(status).toMatchObject({ draws: 3, ticketEpoch: 3, stepsBack: 0, attention: [] });
    expect(Date.parse(status.ticketLife?.until ?? '')).toBeGreaterThan(Date.now() + 2 * HOUR);
    // It had its turn: it does not wait behind all others once more.
    const history = await sealing.handle.fetchHistory();
    const ofP1 = scheduled(history).filter(({ activity }) => activity === 'preCommitPhase1');
    expect(ofP1.map(({ priority }) => priority)).toEqual([NORMAL, BEGUN, BEGUN]);
  });

  test('shows that it will miss its ticket from the moment that its host foresees it until P2 is done', async () => {
    const [p1, p2] = [held(), held()];
    const fakes = fakeActivities({ P1: [p1], P2: [p2] });
    const sealing = await seal(
      { drawTicket: () => Promise.resolve({ ...DRAWN, life: lifeFor(24) }) },
      {},
      fakes,
    );
    const isLate = async (): Promise<boolean> => (await sealing.lists()).get(sealLate) === 'ticket';
    await fakes.begun('P1');
    const until = (await sealing.status()).deadline?.at ?? '';
    await eventually(async () => (await sealing.lists()).get(sealDeadline)?.toISOString() === until);
    expect(await isLate()).toBe(false);
    // What is no such word changes nothing.
    await sealing.handle.signal(lateSignal, { phase: 'P9', why: 1 } as never);
    await sealing.handle.signal(lateSignal, { phase: 'P1', why: 'layer 3 of 11' });
    await eventually(isLate);
    expect(await sealing.details()).toContain('will miss its ticket: layer 3 of 11');
    p1.release();
    await fakes.begun('P2');
    expect(fakes.inputsOf('P2')[0]?.late).toBe(true);
    expect(await isLate()).toBe(true);
    p2.release();
    await sealing.handle.result();
    expect(await isLate()).toBe(false);
    expect((await sealing.lists()).get(sealDeadline)).toBeUndefined();
  });

  test('asks a person where the ticket was given; another one is theirs to give', async () => {
    const stale = new SealError('TicketStale', 'ends in 1 h; takes 2 h', { needsMs: 2 * HOUR });
    const fakes = fakeActivities({ P1: [stale] });
    const given = { ticket: 'ab'.repeat(32), ticketEpoch: 1, ticketLife: lifeFor(1), cleanAfter: 'proof' };
    const sealing = await seal({ drawTicket: () => Promise.reject(new Error('asked')) }, given, fakes);
    const { attention } = await sealing.untilAttention('P1');
    expect(attention).toMatchObject([{ type: 'TicketStale', message: 'ends in 1 h; takes 2 h' }]);
    const next = { ticket: 'ac'.repeat(32), ticketEpoch: 2, ticketLife: lifeFor(20) };
    expect(await sealing.retry(next)).toBe('back to P1 with a new ticket');
    await sealing.handle.result();
    expect(fakes.inputsOf('P1')[1]?.seal).toMatchObject(next);
  });

  test('ends, when it is cancelled, while it waits for its ticket', async () => {
    const sealing = await seal({ drawTicket: never });
    await sealing.until(({ state }) => state === 'waiting-for-ticket');
    await sealing.handle.cancel();
    await expect(sealing.handle.result()).rejects.toThrow();
    expect((await sealing.status()).state).toBe('stopped');
  });
});

test('a sector without ticket and without chain is refused', async () => {
  const { parseSealInput } = await import('../../src/contract.js');
  const input = { v: 1, sector: 't01000/7', size: '2KiB', group: 1 };
  expect(parseSealInput(input).error?.issues[0]?.message).toContain('is missing: give it, or "chain": true');
  expect(parseSealInput({ ...input, chain: true }).success).toBe(true);
});
