/** What `start --count` says when it cannot go on; the rest is in test/e2e/start-count.test.ts. */
import type { Client } from '@temporalio/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startCount } from '../../../src/cli/start-count.js';
import { AlreadyStartedError } from '../../../src/temporal/ask/start-sector.js';

const client = { workflow: { list: () => [] } } as unknown as Client;

/** Sectors from a number on, of which some are taken, until the server is lost. @returns what stderr says, and why it ended */
async function run(from: number, { taken = [], lostAt = Infinity }: { taken?: number[]; lostAt?: number }) {
  let stderr = '';
  const write = vi
    .spyOn(process.stderr, 'write')
    .mockImplementation((text) => Boolean((stderr += String(text))));
  onTestFinished(() => write.mockRestore());
  const listeners = process.listenerCount('SIGINT');
  const ended = await startCount(
    client,
    { from: { miner: '1000', number: from }, count: 5 },
    false,
    ({ number }) => {
      if (taken.includes(number)) return Promise.reject(new AlreadyStartedError('taken'));
      return number === lostAt ? Promise.reject(new Error('the server is gone')) : Promise.resolve();
    },
  ).catch((error: unknown) => String(error));
  expect(process.listenerCount('SIGINT')).toBe(listeners);
  return { stderr, ended };
}

test('what was started before an error, and what perhaps was', async () => {
  expect(await run(10, { taken: [11], lostAt: 13 })).toEqual({
    ended: 'Error: the server is gone',
    stderr: 'sealflow: stopped when 2 of 5 were started: t01000/10 t01000/12; perhaps also t01000/13\n',
  });
});

test('numbers that are taken meanwhile are passed over, as many as there are', async () => {
  expect(await run(10, { taken: [10, 11, 12, 13, 14, 15, 17] })).toEqual({
    ended:
      '5 started: t01000/16 t01000/18-21; these numbers were free here only: no chain knows test sectors',
    stderr: '',
  });
});

test('where numbers end, too few are started, which is told', async () => {
  const last = Number.MAX_SAFE_INTEGER;
  expect(await run(last - 1, {})).toEqual({
    ended: 'UserError: t01000 has no more free numbers',
    stderr: `sealflow: stopped when 2 of 5 were started: t01000/${last - 1}-${last}\n`,
  });
});
