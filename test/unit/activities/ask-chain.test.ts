/** How an orchestrator waits for the chain; what the chain's answers mean is in test/unit/chain/answers.test.ts. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createChainActivities } from '../../../src/activities/ask-chain.js';
import { ChainError, type Chain } from '../../../src/chain/chain.js';
import { sectorCid } from '../../../src/chain/cids.js';
import { NETWORKS, type Network } from '../../../src/chain/network.js';
import { EPOCHS_IN_DAY } from '../../../src/chain/policy.js';
import type { HeartbeatDetails } from '../../../src/heartbeat.js';
import { cancel, shutDown } from '../../helpers/cancellation.js';

const network = NETWORKS['mainnet'] as Network;
const COMM_R = Buffer.alloc(32, 1);
const BEGAN = 4_000_000;

/** A node of which each look is an epoch. */
class Node implements Chain {
  looks = 0;
  preCommitAt = Infinity;

  /** @param isDown at a look */
  constructor(private readonly isDown: (look: number) => boolean) {}

  head = () => {
    this.looks++;
    if (this.isDown(this.looks))
      return Promise.reject(new ChainError('http://node does not answer: it is down'));
    return Promise.resolve({ epoch: BEGAN + this.looks, at: 0, key: undefined });
  };
  ticket = () => Promise.resolve('ab'.repeat(32));
  seed = () => Promise.resolve('cd'.repeat(32));
  preCommit = () =>
    Promise.resolve(
      this.looks < this.preCommitAt
        ? undefined
        : { epoch: BEGAN + this.preCommitAt, sealedCid: sectorCid(COMM_R) },
    );
  proved = () => Promise.resolve(undefined);
  allocated = () => Promise.resolve([]);
}

/** Asks for the seed. */
function asking(chain: Chain) {
  const env = new MockActivityEnvironment({ attempt: 1 });
  const steps: string[] = [];
  env.on('heartbeat', ({ step }: HeartbeatDetails) => steps.push(step));
  const { awaitSeed } = createChainActivities({
    watch: { chain, network, confidence: 6 },
    host: 'here',
    lookMs: 0,
  });
  const input = { v: 1, sector: 't01000/7', commR: COMM_R.toString('base64') } as const;
  return { env, steps, answer: env.run(awaitSeed, input) };
}
const untilSteps = async (steps: readonly string[], count: number): Promise<void> => {
  while (steps.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
};

test('a node that is down for a day is asked until it is back, and the pre-commit that landed meanwhile is found', async () => {
  const chain = new Node((look) => look > 10 && look <= 10 + EPOCHS_IN_DAY);
  chain.preCommitAt = 500;
  const { steps, answer } = asking(chain);
  expect(await answer).toEqual({
    v: 1,
    seed: 'cd'.repeat(32),
    preCommitEpoch: BEGAN + 500,
    // 30 days and 150 epochs after it.
    proofUntil: '2024-07-14T00:45:00.000Z',
  });
  expect(chain.looks).toBe(10 + EPOCHS_IN_DAY + 1);
  expect(steps[0]).toBe(`waits for its pre-commit, which is not on chain at epoch ${BEGAN + 1}`);
  expect(new Set(steps.slice(10))).toEqual(
    new Set(['waits for the chain: http://node does not answer: it is down']),
  );
});

test('a pre-commit that never lands is waited for, and said; a cancelled wait ends', async () => {
  const { env, steps, answer } = asking(new Node(() => false));
  answer.catch(() => undefined);
  await untilSteps(steps, 200);
  expect(
    steps.every((step) => /^waits for its pre-commit, which is not on chain at epoch 4000\d+$/.test(step)),
  ).toBe(true);
  cancel(env);
  await expect(answer).rejects.toThrow('P3 no longer waits');
});

test('an orchestrator that stops hands the wait back, to be taken up soon', async () => {
  const { env, steps, answer } = asking(new Node(() => false));
  answer.catch(() => undefined);
  await untilSteps(steps, 2);
  shutDown(env);
  await expect(answer).rejects.toMatchObject({ type: 'Draining', nonRetryable: false, nextRetryDelay: 100 });
});

test('another fault than those of the chain is no reason to wait', async () => {
  const chain = new Node(() => false);
  chain.head = () => Promise.reject(new Error('a bug'));
  await expect(asking(chain).answer).rejects.toMatchObject({
    type: 'Unknown',
    message: 'here: Error: a bug',
  });
});
