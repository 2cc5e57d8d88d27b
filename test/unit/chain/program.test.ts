/** The program that answers for the chain may hang, fork, or never stop talking. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CommandChain } from '../../../src/chain/command.js';
import { epochNow, failed, MAINNET as network, Program } from '../../helpers/chain-program.js';
import { eventually, isAlive } from '../../helpers/eventually.js';

let own: Program;
let directory: string;
let program: string;
beforeEach(async () => {
  own = await Program.make();
  ({ directory, path: program } = own);
});
const chainOf = (...args: Parameters<Program['chain']>): Promise<CommandChain> => own.chain(...args);

describe('it never waits for ever', () => {
  const processes = async (): Promise<number[]> =>
    (await readFile(join(directory, 'pids'), 'utf8')).trim().split('\n').map(Number);
  /** It and a child of it write their IDs, and hang; neither minds SIGTERM. */
  const hangs = (): string =>
    `trap '' TERM; cd '${directory}'; sleep 60 & echo $! >>pids; echo still at it >&2; echo $$ >>pids; wait; sleep 60`;
  const untilGone = async (): Promise<void> =>
    eventually(async () => !(await Promise.all((await processes()).map(isAlive))).includes(true));

  test('what hangs is ended with all that it has started, and its last line is told', async () => {
    const chain = await chainOf(hangs(), { timeoutMs: 500 });
    expect(await failed(chain.head())).toBe(
      `${program} an argument does not answer: nothing within 0.5 s: still at it`,
    );
    expect(await processes()).toHaveLength(2);
    await untilGone();
  });

  test('when the orchestrator stops, it is ended at once', async () => {
    const stop = new AbortController();
    const chain = await chainOf(hangs(), { timeoutMs: 60_000, signal: stop.signal });
    const asking = failed(chain.head());
    await eventually(async () => (await processes().catch(() => [])).length === 2);
    stop.abort();
    expect(await asking).toMatch(/ was ended: the orchestrator stops/);
    await untilGone();
    expect(await failed(chain.ticket({ miner: '1', epoch: 1 }))).toMatch(
      / was ended: the orchestrator stops/,
    );
  });

  test('an answer counts though a child holds the pipes; the child is ended', async () => {
    const chain = await chainOf(
      `cd '${directory}'; sleep 60 & echo $! >>pids; echo '{"epoch": ${epochNow()}}'`,
    );
    expect((await chain.head()).epoch).toBe(epochNow());
    await untilGone();
  });

  test('an answer counts though a child in a group of its own holds the pipes', async () => {
    const chain = await chainOf(
      `cd '${directory}'; setsid sh -c 'touch away; sleep 20' & until [ -e away ]; do sleep 0.05; done; echo '{"epoch": ${epochNow()}}'`,
    );
    const began = Date.now();
    await chain.head();
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  test('a program that does not read its question, or never ends its answer', async () => {
    await own.write(`exec 0<&-\necho '{"epoch": ${epochNow()}}'`);
    const deaf = new CommandChain(network, { command: [program], timeoutMs: 5_000 });
    expect((await deaf.head()).epoch).toBe(epochNow());
    const endless = await chainOf('exec yes', { timeoutMs: 20_000 });
    expect(await failed(endless.head())).toMatch(/ answers more than 8388608 bytes$/);
  });
});

test('no shell reads its arguments', async () => {
  const chain = new CommandChain(network, {
    command: [
      'printf',
      `{"epoch": ${epochNow()}, "x": "%s"}`,
      `$(touch ${directory}/shell); touch ${directory}/shell`,
    ],
    timeoutMs: 5_000,
  });
  expect((await chain.head()).epoch).toBe(epochNow());
  await expect(readFile(join(directory, 'shell'))).rejects.toThrow('ENOENT');
});
