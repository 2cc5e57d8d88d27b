/** How a command on any machine asks the chain for sector numbers: only orchestrators see it. */
import { proxyActivities } from '@temporalio/workflow';
import { CHAIN_QUEUE } from '../contract.js';
import type { FreeNumbers, FreeNumbersInput, NumberActivities } from '../contract-chain.js';

/** Somebody waits for it at a terminal. */
const { freeNumbers: ask } = proxyActivities<NumberActivities>({
  taskQueue: CHAIN_QUEUE,
  scheduleToStartTimeout: '20s',
  scheduleToCloseTimeout: '100s',
  // A node that errs once may be well a second later; an orchestrator may end while it asks.
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** @throws ActivityFailure, and so fails, when the chain has not answered */
export async function freeNumbers(input: FreeNumbersInput): Promise<FreeNumbers> {
  return await ask(input);
}
