/** Which numbers are found free, and what is said when the chain does not tell. */
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { lowestFree } from '../../../src/chain/numbers.js';
import type { FreeNumbersInput } from '../../../src/contract-chain.js';
import { findFreeNumbers } from '../../../src/temporal/ask/free-numbers.js';

/** @param used numbers with a workflow */
function server(used: readonly number[], answer: (input: FreeNumbersInput) => Promise<unknown>) {
  const asked: FreeNumbersInput[] = [];
  const workflow = {
    list: () => used.map((number) => ({ workflowId: `seal-t01000-${number}` })),
    execute: (_: string, { args: [input] }: { args: [FreeNumbersInput] }) => {
      asked.push(input);
      return answer(input);
    },
  };
  return { client: { workflow } as unknown as Client, asked };
}
const WANTED = { miner: '1000', from: 2, count: 3 };

test('those that are free on chain and have no workflow; it asks for as many more as have one', async () => {
  const allocated = [{ first: 4, count: 2 }];
  const { client, asked } = server([0, 3, 6, 900], (input) =>
    Promise.resolve({ v: 1, epoch: 77, free: lowestFree(allocated, input) }),
  );
  expect(await findFreeNumbers(client, WANTED, true)).toEqual({ numbers: [2, 7, 8], epoch: 77 });
  expect(asked).toEqual([{ v: 1, miner: 't01000', from: 2, count: 6 }]);
  expect(await findFreeNumbers(client, WANTED, false)).toEqual({ numbers: [2, 4, 5] });
});

const activity = (cause: Error) =>
  new ActivityFailure('Activity task failed', 'freeNumbers', '1', 'MAXIMUM_ATTEMPTS_REACHED', 'x', cause);

test.each<[string, Error, string]>([
  [
    'the node errs',
    activity(ApplicationFailure.create({ message: 'http://node does not answer: x' })),
    'http://node does not answer: x',
  ],
  [
    'nobody takes it',
    activity(new TimeoutFailure('x', undefined, 'SCHEDULE_TO_START')),
    'no orchestrator takes tasks of sealflow/chain',
  ],
  [
    'it hangs',
    activity(new TimeoutFailure('x', undefined, 'SCHEDULE_TO_CLOSE')),
    'the orchestrator that watches it does not answer',
  ],
  [
    'no orchestrator knows it',
    new TimeoutFailure('x', undefined, 'START_TO_CLOSE'),
    'no orchestrator of this version answers',
  ],
])('%s', async (_, cause, why) => {
  const { client } = server([], () =>
    Promise.reject(new WorkflowFailedError('failed', cause, 'RETRY_POLICY_NOT_SET')),
  );
  await expect(findFreeNumbers(client, WANTED, true)).rejects.toMatchObject({
    exitCode: 1,
    message: `t01000: which numbers are free on chain is not known: ${why}`,
  });
});
