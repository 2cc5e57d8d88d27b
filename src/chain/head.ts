/** Whether the head of a chain can be that of this moment. */
import { ChainError } from './chain.js';
import { epochAt, type Network } from './network.js';

/** So far a node may be behind, or its clock or ours wrong, before its head is refused: a few null rounds are usual. */
const MAX_BEHIND = 20;
const MAX_AHEAD = 2;

/**
 * @param now by this host's clock, in ms since 1970
 * @throws ChainError when the node is far behind, or either clock is wrong
 */
export function refuseFarHead(network: Network, epoch: number, now: number): void {
  const expected = epochAt(network, now);
  if (expected - epoch > MAX_BEHIND)
    throw new ChainError(
      `the node is behind, or this host's clock ahead: the node is at epoch ${epoch}, by the clock it is ${expected}`,
    );
  if (epoch - expected > MAX_AHEAD)
    throw new ChainError(
      `this host's clock is behind, or the node's ahead: the node is at epoch ${epoch}, by the clock it is ${expected}`,
    );
}
