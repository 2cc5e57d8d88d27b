import { expect, test } from 'vitest';
import { beginOf, epochAt, NETWORKS, type Network } from '../../../src/chain/network.js';

const mainnet = NETWORKS['mainnet'] as Network;

test('the epochs of mainnet are those that explorers show', () => {
  expect(beginOf(mainnet, 0)).toBe(1_598_306_400_000);
  expect(new Date(beginOf(mainnet, 1_000_000)).toISOString()).toBe('2021-08-07T03:20:00.000Z');
  expect(epochAt(mainnet, Date.parse('2021-08-07T03:20:29.999Z'))).toBe(1_000_000);
  expect(epochAt(mainnet, Date.parse('2021-08-07T03:20:30Z'))).toBe(1_000_001);
});
