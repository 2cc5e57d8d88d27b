/** A node is believed as far as it can be checked, and what is wrong with it is named. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ChainError } from '../../../src/chain/chain.js';
import { LotusChain } from '../../../src/chain/lotus.js';
import { TestChain, type Fault } from '../../helpers/chain.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const SECTOR = { miner: '1000', number: 7 };

/** Nobody listens there: it is below those that are given out. */
const CLOSED = 1029;

let chain: TestChain;
let lotus: LotusChain;
/** Longer than a busy machine takes; where nothing comes, as long as one waits. */
const TIMES = { timeoutMs: 10_000 };
beforeEach(async () => {
  chain = await TestChain.start(30_000);
  lotus = new LotusChain(chain.network, { url: chain.url, ...TIMES });
  return () => chain.end();
});

test('it draws tickets and seeds as the chain does, for each miner its own', async () => {
  const head = await lotus.head();
  expect(head.epoch).toBe(chain.epoch);
  const draw = { miner: '1000', epoch: head.epoch - 900 };
  expect(await lotus.ticket(draw, head)).toBe(chain.draw('Tickets', draw.epoch, 't01000/1'));
  expect(await lotus.seed(draw, head)).toBe(chain.draw('Beacon', draw.epoch, 't01000/1'));
  expect(await lotus.ticket({ ...draw, miner: '1001' }, head)).not.toBe(await lotus.ticket(draw, head));
});

test('it finds a pre-commit until it is proved, and the sector from then on', async () => {
  const head = await lotus.head();
  const both = async () => [await lotus.preCommit(SECTOR, head), await lotus.proved(SECTOR, head)];
  expect(await both()).toEqual([undefined, undefined]);
  const epoch = chain.preCommit('t01000/7', 'bagboea4b5abc');
  expect(await both()).toEqual([{ epoch, sealedCid: 'bagboea4b5abc' }, undefined]);
  chain.prove('t01000/7');
  expect(await both()).toEqual([undefined, 'bagboea4b5abc']);
});

test('it reads which numbers of a miner are used up, by which sector ever', async () => {
  const head = await lotus.head();
  expect(await lotus.allocated('1000', head)).toEqual([]);
  chain.preCommit('t01000/7', 'bagboea4b5abc');
  chain.prove('t01000/7');
  chain.preCommit('t01000/3', 'bagboea4b5abc');
  chain.preCommit('t01001/4', 'bagboea4b5abc');
  chain.useUp('t01000', 0, 1, 8);
  expect(await lotus.allocated('1000', head)).toEqual([
    { first: 0, count: 2 },
    { first: 3, count: 1 },
    { first: 7, count: 2 },
  ]);
});

describe('what is wrong is told', () => {
  test.each<[Fault, RegExp]>([
    ['down', /^http:\S+ does not answer: /],
    [
      'behind',
      /^the node is behind, or this host's clock ahead: the node is at epoch \d+, by the clock it is \d+$/,
    ],
    ['other chain', /^the node's chain is not test: epoch \d+ of it was at \S+Z, of test at \S+Z$/],
    ['no lotus', /is no Lotus API: HTTP 200, "<html>/],
    ['bad gateway', /is no Lotus API: HTTP 502, "<h1>502 Bad Gateway<\/h1>"$/],
    ['another form', /^http:\S+ answers ChainHead in another form: Height Invalid input: expected number/],
    ['refuses the token', /refuses the token: none is set \(token_file\)$/],
  ])('%s', async (fault, message) => {
    chain.fault = fault;
    const failed = await lotus.head().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ChainError);
    expect((failed as Error).message).toMatch(message);
  });

  test.each<[Fault, RegExp]>([
    ['hangs', /^http:\S+ does not answer: nothing within 0\.3 s$/],
    ['slow', /^http:\S+ broke off its answer: nothing within 0\.3 s$/],
  ])('%s', async (fault, message) => {
    chain.fault = fault;
    const hasty = new LotusChain(chain.network, { url: chain.url, timeoutMs: 300 });
    await expect(hasty.head()).rejects.toThrow(message);
  });

  test.each([
    [
      'no such name',
      'http://node.invalid/rpc/v1',
      /^http:\/\/node\.invalid\/rpc\/v1 does not answer: getaddrinfo /,
    ],
    [
      'nothing listens; a key in the address',
      `http://127.0.0.1:${CLOSED}/rpc/v1?token=secret`,
      /^http:\/\/127\.0\.0\.1:\d+\/rpc\/v1 does not answer: connect ECONNREFUSED 127/,
    ],
  ])('%s', async (_, url, message) => {
    await expect(new LotusChain(chain.network, { url, ...TIMES }).head()).rejects.toThrow(message);
  });

  test('of a name with several addresses, the cause at the first', async () => {
    const each = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:1234`));
    const failure = new TypeError('fetch failed', { cause: new AggregateError(each) });
    const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(failure);
    onTestFinished(() => fetching.mockRestore());
    await expect(lotus.head()).rejects.toThrow(/does not answer: connect ECONNREFUSED ::1:1234$/);
  });

  test('a node that contradicts itself is not believed', async () => {
    const head = await lotus.head();
    chain.fault = 'contradicts itself';
    const draw = { miner: '1000', epoch: head.epoch - 900 };
    await expect(lotus.ticket(draw, head)).rejects.toThrow(
      /^the node contradicts itself: for epoch \d+ and t01000 /,
    );
  });

  test.each([
    [
      -600_000,
      /^this host's clock is behind, or the node's ahead: the node is at epoch \d+, by the clock it is \d+$/,
    ],
    [
      1_200_000,
      /^the node is behind, or this host's clock ahead: the node is at epoch \d+, by the clock it is \d+$/,
    ],
  ])("a host whose clock is off by %i ms refuses the chain's head", async (off, message) => {
    const wrong = new LotusChain(chain.network, { url: chain.url, ...TIMES }, () => Date.now() + off);
    await expect(wrong.head()).rejects.toThrow(message);
  });

  test('of a network of its own, another genesis', async () => {
    const late = { ...chain.network, genesis: chain.network.genesis + 1000 };
    await expect(new LotusChain(late, { url: chain.url, ...TIMES }).head()).rejects.toThrow(
      /^the node's chain is not test: epoch \d+ of it was at /,
    );
  });

  test('a draw of an epoch that has not come is refused by the node, in its own words', async () => {
    const head = await lotus.head();
    await expect(lotus.seed({ miner: '1000', epoch: head.epoch + 5 }, head)).rejects.toThrow(
      /^StateGetRandomnessFromBeacon: epoch \d+ is in the future$/,
    );
  });
});

describe('the token', () => {
  test('is read anew for each call, and never told', async () => {
    const tokenFile = join(await temporaryDirectory(), 'token');
    chain.token = 'secret-2';
    const asked = new LotusChain(chain.network, { url: chain.url, ...TIMES, tokenFile });
    await expect(asked.head()).rejects.toThrow(/^token_file: ENOENT/);
    await writeFile(tokenFile, 'secret-1\n');
    const failed = (await asked.head().catch((error: unknown) => error)) as Error;
    expect(failed.message).toBe(`${chain.url} refuses the token of ${tokenFile}`);
    await writeFile(tokenFile, 'secret-2\n');
    expect((await asked.head()).epoch).toBe(chain.epoch);
  });

  test.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['secret-2\nsecret-3', 'holds more than a token'],
    ['secr\u00e9t', 'holds more than a token'],
  ])('%j is none, and not told either', async (content, what) => {
    const tokenFile = join(await temporaryDirectory(), 'token');
    await writeFile(tokenFile, content);
    const asked = new LotusChain(chain.network, { url: chain.url, ...TIMES, tokenFile });
    await expect(asked.head()).rejects.toThrow(
      expect.objectContaining({ message: `token_file: ${tokenFile} ${what}` }) as Error,
    );
  });
});
