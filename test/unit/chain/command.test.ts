/** A chain that a program of the operator's own tells; what is wrong with that program is said in a line. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CommandChain } from '../../../src/chain/command.js';
import { beginOf } from '../../../src/chain/network.js';
import { epochNow, failed, MAINNET as network, Program } from '../../helpers/chain-program.js';

const CID = 'bagboea4b5abcours';
const HEX = 'ab'.repeat(32);

let own: Program;
let directory: string;
let program: string;
beforeEach(async () => {
  own = await Program.make();
  ({ directory, path: program } = own);
});
const chainOf = (body: string): Promise<CommandChain> => own.chain(body);
const asked = (): Promise<unknown[]> => own.asked();

test('it is asked in JSON on its stdin, and answers in JSON', async () => {
  const chain = await chainOf(`case $Q in
*'"head"'*) echo '{"epoch": ${epochNow()}}' ;;
*'"ticket"'*) echo '{"ticket": "${HEX}"}' ;;
*'"seed"'*) echo '{"seed": "${HEX}"}' ;;
*'"landed"'*'/7"'*) echo '{"preCommit": {"epoch": 5, "sealedCid": "${CID}"}, "proved": null}' ;;
*'"landed"'*) echo '{"preCommit": null, "proved": "${CID}"}' ;;
*'"numbers"'*) echo '{"allocated": [0, 2, 1, 1]}' ;;
esac`);
  const head = await chain.head();
  expect(head.epoch).toBe(epochNow());
  expect(await chain.ticket({ miner: '1000', epoch: 4 })).toBe(HEX);
  expect(await chain.seed({ miner: '1000', epoch: 155 })).toBe(HEX);
  const [seven, eight] = [
    { miner: '1000', number: 7 },
    { miner: '1000', number: 8 },
  ];
  expect(await chain.preCommit(seven, head)).toEqual({ epoch: 5, sealedCid: CID });
  expect(await chain.proved(seven, head)).toBeUndefined();
  expect(await chain.preCommit(eight, head)).toBeUndefined();
  expect(await chain.proved(eight, head)).toBe(CID);
  expect(await chain.allocated('1000')).toEqual([
    { first: 0, count: 2 },
    { first: 3, count: 1 },
  ]);
  // What belongs to one head is asked once.
  expect(await asked()).toEqual([
    { v: 1, ask: 'head' },
    { v: 1, ask: 'ticket', miner: 't01000', epoch: 4 },
    { v: 1, ask: 'seed', miner: 't01000', epoch: 155 },
    { v: 1, ask: 'landed', sector: 't01000/7' },
    { v: 1, ask: 'landed', sector: 't01000/8' },
    { v: 1, ask: 'numbers', miner: 't01000' },
  ]);
});

test('all who ask for the head at once, and a little later, share it', async () => {
  const chain = await chainOf(`echo '{"epoch": ${epochNow()}}'`);
  const [one, two] = await Promise.all([chain.head(), chain.head()]);
  expect([two, await chain.head()]).toEqual([one, one]);
  expect(await asked()).toHaveLength(1);
});

test('within an epoch a sector is asked for once, unless there was no answer', async () => {
  await chainOf(`case $Q in *head*) cat '${directory}/head' ;; *) cat '${directory}/landed' ;; esac`);
  const tell = (epoch: number, landed: string) =>
    Promise.all([
      writeFile(join(directory, 'head'), `{"epoch": ${epoch}}`),
      writeFile(join(directory, 'landed'), landed),
    ]);
  let clock = beginOf(network, 4_000_000);
  const chain = new CommandChain(network, { command: [program], timeoutMs: 5_000 }, () => clock);
  const look = async () => await chain.proved({ miner: '1000', number: 7 }, await chain.head());
  const asks = async () => (await asked()).map((question) => (question as { ask: string }).ask);

  await tell(4_000_000, 'nonsense');
  expect(await failed(look())).toContain('answers no JSON');
  await tell(4_000_000, '{"preCommit": null, "proved": null}');
  expect(await look()).toBeUndefined();
  clock += network.epochMs / 2;
  await tell(4_000_000, `{"preCommit": null, "proved": "${CID}"}`);
  expect(await look()).toBeUndefined();
  expect(await asks()).toEqual(['head', 'landed', 'landed', 'head']);
  clock += network.epochMs / 2;
  await tell(4_000_001, `{"preCommit": null, "proved": "${CID}"}`);
  expect(await look()).toBe(CID);
});

test('four of it run at most, and all get their turn', async () => {
  const chain = await chainOf(
    `cd '${directory}'; touch run-$$; ls | grep -c run- >>most; sleep 0.1; rm run-$$; echo '{"ticket": "${HEX}"}'`,
  );
  await Promise.all(Array.from({ length: 12 }, (_, epoch) => chain.ticket({ miner: '1000', epoch })));
  const most = (await readFile(join(directory, 'most'), 'utf8')).trim().split('\n').map(Number);
  expect(most).toHaveLength(12);
  expect(Math.max(...most)).toBeLessThanOrEqual(4);
});

describe('what is wrong is told in a line', () => {
  const START = () => `${program} an argument`;

  test.each<[string, string, string]>([
    [
      'an exit code, with the last line of stderr',
      'echo one >&2; echo no wallet >&2; exit 3',
      'exits with 3: no wallet',
    ],
    ['an exit code alone', 'exit 1', 'exits with 1'],
    ['a signal', 'kill -SEGV $$', 'was ended by SIGSEGV'],
    ['nothing', 'true', 'answers nothing'],
    ['no JSON', 'echo "<html>It works!</html>"', 'answers no JSON: "<html>It works!</html>\\n"'],
    [
      'two answers',
      `echo '{"epoch": 1}'; echo '{"epoch": 2}'`,
      'answers no JSON: "{\\"epoch\\": 1}\\n{\\"epoch\\": 2}\\n"',
    ],
    [
      'JSON without the field',
      `echo '{"height": 1}'`,
      'answers head in another form: epoch: Invalid input: expected number, received undefined',
    ],
    [
      'no object',
      `echo '[]'`,
      'answers head in another form: Invalid input: expected object, received array',
    ],
    [
      'an epoch that is none',
      `echo '{"epoch": -1}'`,
      'answers head in another form: epoch: Too small: expected number to be >=0',
    ],
  ])('%s', async (_, body, message) => {
    const chain = await chainOf(body);
    expect(await failed(chain.head())).toBe(`${START()} ${message}`);
  });

  test.each<[string, number, RegExp]>([
    ['behind', -100, /^the node is behind, or this host's clock ahead: /],
    ['ahead of our clock', 100, /^this host's clock is behind, or the node's ahead: /],
  ])('a head that is %s', async (_, off, message) => {
    const chain = await chainOf(`echo '{"epoch": ${epochNow() + off}}'`);
    expect(await failed(chain.head())).toMatch(message);
  });

  test.each<[string, (chain: CommandChain) => Promise<unknown>, string, string]>([
    [
      'a short ticket',
      (chain) => chain.ticket({ miner: '1', epoch: 1 }),
      '{"ticket": "abcd"}',
      'answers ticket in another form: ticket: must be 32 bytes as 64 lower-case hex digits',
    ],
    [
      'another kind of CID',
      (chain) => chain.proved({ miner: '1', number: 1 }, { epoch: 1, at: 0, key: 0 }),
      '{"preCommit": null, "proved": "bafy2bz"}',
      'answers landed in another form: proved: must be a CID like bagboea4b5abc…',
    ],
    [
      'half an answer',
      (chain) => chain.proved({ miner: '1', number: 1 }, { epoch: 1, at: 0, key: 0 }),
      '{"proved": null}',
      'answers landed in another form: preCommit: Invalid input: expected object, received undefined',
    ],
  ])('%s', async (_, ask, answer, message) => {
    expect(await failed(ask(await chainOf(`echo '${answer}'`)))).toBe(`${START()} ${message}`);
  });

  test('a program that is not there, or is none', async () => {
    const none = new CommandChain(network, { command: ['/nonexistent/chain'], timeoutMs: 5_000 });
    expect(await failed(none.head())).toMatch(
      /^\/nonexistent\/chain .*\/nonexistent\/chain: No such file or directory$/,
    );
    await writeFile(program, 'no program');
    const file = new CommandChain(network, { command: [program], timeoutMs: 5_000 });
    expect(await failed(file.head())).toMatch(/Permission denied$/);
  });
});
