import { expect, test } from 'vitest';
import {
  preCommitSectorBatch2,
  proveCommitSectors3,
  type PreCommit,
  type ProveCommit,
} from '../../../src/chain/miner-messages.js';
import { splitMessages } from '../../../src/chain/split.js';

const proven = (count: number, bytes: number): ProveCommit[] =>
  Array.from({ length: count }, (_, i) => ({ number: i + 1, proof: new Uint8Array(bytes).fill(i) }));
const preCommitted = (count: number): PreCommit[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ number: i + 1, size: '32GiB' as const, commR: new Uint8Array(32).fill(i) },
    ...{ ticketEpoch: 4_200_000, expiration: 5_755_200 },
  }));

test.each([
  [0, []],
  [1, [1]],
  [256, [256]],
  [257, [129, 128]],
  [1000, [250, 250, 250, 250]],
])('%i pre-commits: a message has 256 at most, about as many each', (count, sizes) => {
  const messages = splitMessages(preCommitted(count), preCommitSectorBatch2);
  expect(messages.map(({ sectors }) => sectors.length)).toEqual(sizes);
  expect(messages.flatMap(({ sectors }) => sectors)).toEqual(preCommitted(count));
  for (const { sectors, message } of messages) expect(message).toEqual(preCommitSectorBatch2(sectors));
});

test.each([
  [33, [33]],
  [34, [17, 17]],
  [100, [25, 25, 25, 25]],
])('%i proofs of 32GiB: nodes take 64 KiB, signature and addresses included', (count, sizes) => {
  const messages = splitMessages(proven(count, 1920), proveCommitSectors3);
  expect(messages.map(({ sectors }) => sectors.length)).toEqual(sizes);
  for (const { message } of messages) expect(message.params.length).toBeLessThanOrEqual(64 * 1024 - 512);
});

test('one sector is never split', () => {
  expect(splitMessages(proven(1, 100_000), proveCommitSectors3)).toHaveLength(1);
});
