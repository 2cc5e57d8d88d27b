/** A node is believed as far as it can be checked, and what is wrong with it is named. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ChainError } from '../../../src/chain/chain.js';
import { LotusChain } from '../../../src/chain/lotus.js';
import { TestChain, type Fault } from '../../helpers/chain.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const SECTOR = { miner: '1000', number: 7 };

let chain: TestChain;
let lotus: LotusChain;
beforeEach(async () => {
  chain = await TestChain.start(30_000);
  lotus = new LotusChain(chain.network, { url: chain.url, timeoutMs: 300 });
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
    ['hangs', /does not answer: nothing within 0\.3 s$/],
    ['behind', /^the node is behind: at epoch \d+, it should be \d+ by this host's clock$/],
    ['other chain', /^the node's chain is not test: epoch \d+ of it was at \S+Z, of test at \S+Z$/],
    ['no lotus', /is no Lotus API: HTTP 200, "<html>/],
    ['refuses the token', /refuses the token: none is set \(token_file\)$/],
  ])('%s', async (fault, message) => {
    chain.fault = fault;
    const failed = await lotus.head().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ChainError);
    expect((failed as Error).message).toMatch(message);
  });

  test('a node that contradicts itself is not believed', async () => {
    const head = await lotus.head();
    chain.fault = 'contradicts itself';
    const draw = { miner: '1000', epoch: head.epoch - 900 };
    await expect(lotus.ticket(draw, head)).rejects.toThrow(
      /^the node contradicts itself: for epoch \d+ and t01000 /,
    );
  });

  test("a host whose clock is behind refuses the chain's head", async () => {
    const early = new LotusChain(
      chain.network,
      { url: chain.url, timeoutMs: 300 },
      () => Date.now() - 600_000,
    );
    await expect(early.head()).rejects.toThrow(
      /by this host's clock has not come yet \(\d+\): look at the clock$/,
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
    const asked = new LotusChain(chain.network, { url: chain.url, timeoutMs: 300, tokenFile });
    await expect(asked.head()).rejects.toThrow(/^token_file: ENOENT/);
    await writeFile(tokenFile, 'secret-1\n');
    const failed = (await asked.head().catch((error: unknown) => error)) as Error;
    expect(failed.message).toBe(`${chain.url} refuses the token of ${tokenFile}`);
    await writeFile(tokenFile, 'secret-2\n');
    expect((await asked.head()).epoch).toBe(chain.epoch);
  });
});
