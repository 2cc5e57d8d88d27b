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
