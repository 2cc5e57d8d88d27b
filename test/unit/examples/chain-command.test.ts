/** examples/chain-command.mjs tells of a node what `lotus_api` reads from it. */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { ChainError } from '../../../src/chain/chain.js';
import { CommandChain } from '../../../src/chain/command.js';
import { LotusChain } from '../../../src/chain/lotus.js';
import { COMMAND, TestChain } from '../../helpers/chain.js';

const CID = 'bagboea4b5abcours';

test('the same answers as through lotus_api; and its faults, by the last line of stderr', async () => {
  const node = await TestChain.start(30_000);
  onTestFinished(() => node.end());
  const env = ['env', `LOTUS_RPC=${node.url}`, process.execPath, COMMAND];
  const command = new CommandChain(node.network, { command: env, timeoutMs: 20_000 });
  const lotus = new LotusChain(node.network, { url: node.url, timeoutMs: 20_000 });
  const [pending, proved, none] = [1, 2, 3].map((number) => ({ miner: '1000', number }));
  node.preCommit('t01000/1', CID);
  node.preCommit('t01000/2', CID);
  node.prove('t01000/2');
  node.useUp('t01000', 5);
  const head = await lotus.head();
  expect(await command.head()).toMatchObject({ epoch: head.epoch, at: head.at });
  const draw = { miner: '1000', epoch: head.epoch - 900 };
  for (const chain of [command, lotus]) {
    expect(await chain.ticket(draw, head)).toBe(node.draw('Tickets', draw.epoch, 't01000/1'));
    expect(await chain.seed(draw, head)).toBe(node.draw('Beacon', draw.epoch, 't01000/1'));
    const landed = [];
    for (const sector of [pending, proved, none])
      landed.push(sector && [await chain.preCommit(sector, head), await chain.proved(sector, head)]);
    expect(landed).toEqual([
      [{ epoch: head.epoch, sealedCid: CID }, undefined],
      [undefined, CID],
      [undefined, undefined],
    ]);
    expect(await chain.allocated('1000', head)).toEqual([
      { first: 1, count: 2 },
      { first: 5, count: 1 },
    ]);
  }
  node.token = 'secret-1';
  const refused = await command.ticket(draw).catch((error: unknown) => error as Error);
  expect(refused).toBeInstanceOf(ChainError);
  expect(String(refused)).toMatch(/ exits with 1: StateGetRandomnessFromTickets: HTTP 401$/);
});

test('a question that it does not know', () => {
  const ask = () =>
    execFileSync(process.execPath, [COMMAND], { input: '{"v":1,"ask":"fee"}', stdio: 'pipe' });
  expect(ask).toThrow(/^Command failed: [^\n]+\nwhat is fee\?\n$/);
});
