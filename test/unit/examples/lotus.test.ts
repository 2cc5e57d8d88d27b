/** What examples/lotus.mjs asks a node for; the whole way is in test/e2e/seal-on-chain.test.ts. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FakeChain } from '../../helpers/fake-chain.js';

const LOTUS = fileURLToPath(new URL('../../../examples/lotus.mjs', import.meta.url));
const { addresses } = JSON.parse(
  readFileSync(new URL('../../vectors/messages.json', import.meta.url), 'utf8'),
) as { addresses: Record<string, string> };

test.each(Object.entries(addresses))(
  "a ticket of t%s: the entropy is the CBOR of Go's address",
  async (id, cbor) => {
    const chain = await FakeChain.start();
    const env = { ...process.env, LOTUS_RPC: chain.url };
    const { stdout } = await promisify(execFile)(process.execPath, [LOTUS, 'ticket', `t${id}`], { env });
    expect(stdout).toMatch(/^[0-9a-f]{64}@4200050\n$/);
    expect(chain.asked.at(-1)).toEqual([
      ...['StateGetRandomnessFromTickets', 5, 4_200_050],
      ...[Buffer.from(cbor, 'hex').toString('base64'), null],
    ]);
  },
);

test.each<[string, string[], RegExp]>([
  [
    'a node that is not there',
    ['ticket', 't01000'],
    /^lotus\.mjs: http:\/\/127\.0\.0\.1:1029\/ does not answer: connect ECONNREFUSED \S+ \(LOTUS_RPC\)\n$/,
  ],
  ['no miner', ['ticket'], /^lotus\.mjs: one of: ticket t01000, send FILE FROM, seeds FILE, proven FILE\n$/],
  ['no wallet', ['send', 'precommit.json'], /^lotus\.mjs: one of: /],
  ['no such command', ['toString', 'x'], /^lotus\.mjs: one of: /],
])('%s is told', async (_, args, says) => {
  const env = { ...process.env, LOTUS_RPC: 'http://127.0.0.1:1029/' };
  const failed = (await promisify(execFile)(process.execPath, [LOTUS, ...args], { env }).catch(
    (error: unknown) => error,
  )) as { code: number; stderr: string };
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(says);
});
