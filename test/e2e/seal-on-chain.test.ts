/** examples/seal-on-chain.sh, from a ticket to a sector on chain, with a stand-in for the chain. Sectors are sealed by a group. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { run } from '../helpers/commands.js';
import { AVAILABLE, DEPOSIT, FakeChain, PLEDGE } from '../helpers/fake-chain.js';
import type { Group } from '../helpers/group.js';
import { MAIN } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 });

const SCRIPT = fileURLToPath(new URL('../../examples/seal-on-chain.sh', import.meta.url));
let cluster: Cluster;
let group: Group;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  await group.host(1);
  await cluster.untilServed(group);
  return () => cluster.end();
});

test('two sectors get on chain', async () => {
  const chain = await FakeChain.start();
  const directory = await temporaryDirectory();
  await writeFile(join(chain.bin, 'sealflow'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(join(chain.bin, 'sealflow'), 0o755);
  const [first, second] = [cluster.newSector(), cluster.newSector()];
  const [miner = '', number = ''] = first.split('/');
  const sectors = `${first}-${second.split('/')[1]}`;
  const env = {
    ...{ PATH: `${chain.bin}:${process.env['PATH']}`, LOTUS_RPC: chain.url },
    ...{ EPOCH_MS: '20', POLL_SECONDS: '1', TEMPORAL_ADDRESS: cluster.address },
  };
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const place = ['--group', String(group.number), '--size', '2KiB', '--time-scale', '0.2'];
  await run('env', '-C', directory, ...settings, SCRIPT, sectors, 'f3worker', ...place);

  await Promise.all([cluster.sealed(first), cluster.sealed(second)]);
  const status = await cluster.status(first);
  // The ticket is 900 epochs old, so that no fork replaces it.
  const [drawn] = chain.asked.filter(([method]) => method === 'StateGetRandomnessFromTickets');
  expect(drawn?.slice(1, 3)).toEqual([5, status.ticketEpoch]);
  expect(status).toMatchObject({ state: 'sealed', ticketEpoch: 4_200_050 });
  expect(await readFile(join(directory, 'seeds'), 'utf8')).toContain(`${first} ${status.seed}\n`);
  // What goes with each message: deposits, then what the pledge has more, less what the miner has.
  const hex = expect.stringMatching(/^[0-9a-f]+$/) as string;
  expect(chain.sent).toEqual([
    [
      ...['send', '--from', 'f3worker', '--method', '28', '--params-hex', hex, miner],
      `${2n * DEPOSIT - AVAILABLE}afil`,
    ],
    [
      ...['send', '--from', 'f3worker', '--method', '34', '--params-hex', hex, miner],
      `${2n * (PLEDGE - DEPOSIT) - AVAILABLE}afil`,
    ],
  ]);

  // Again: the number is used up, nothing is sent.
  const again = run(
    'env',
    '-C',
    directory,
    ...settings,
    'node',
    SCRIPT.replace(/[^/]+$/, 'lotus.mjs'),
    'send',
    'precommit.json',
    'f3worker',
  );
  await expect(again).rejects.toThrow(`${miner}/${number}: the number is allocated already`);
  expect(chain.sent).toHaveLength(2);
});
