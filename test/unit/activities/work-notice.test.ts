/** The workflow is told where work goes on, once, and that it has ended without a result. */
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { WorkNotice } from '../../../src/activities/work-notice.js';
import type { Working } from '../../../src/messages.js';

const HOST = '10.0.0.1';

/** A server that takes signals, except the first `refused`. */
function server(refused = 0) {
  const signals: Working[] = [];
  let left = refused;
  const signal = (_: unknown, working: Working): Promise<void> => {
    if (left-- > 0) return Promise.reject(new Error('14 UNAVAILABLE'));
    signals.push(working);
    return Promise.resolve();
  };
  const withAbortSignal = (_: unknown, run: () => unknown): unknown => run();
  const client = { workflow: { getHandle: () => ({ signal }) }, withAbortSignal } as unknown as Client;
  return { signals, client };
}

/** Runs a body as an activity. @returns what the workflow was told, and what the heartbeat carries of it */
async function told(
  body: (notice: WorkNotice) => Promise<void>,
  { before, refused }: { before?: string; refused?: number } = {},
) {
  const { signals, client } = server(refused);
  const carried: (string | undefined)[] = [];
  await new MockActivityEnvironment(undefined, { client }).run(() =>
    body(new WorkNotice('P1', HOST, before, (host) => carried.push(host))),
  );
  return { signals, carried };
}

/** Until what was begun is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a task', () => {
  test('tells once that it works, however often that is seen', async () => {
    const { signals, carried } = await told(async (notice) => {
      notice.working();
      notice.working();
      await settled();
      notice.working();
      await settled();
    });
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
    expect(carried).toEqual([HOST]);
  });

  test('tells it again when the server was away', async () => {
    const { signals } = await told(
      async (notice) => {
        for (let seen = 0; seen < 4; seen++) {
          notice.working();
          await settled();
        }
      },
      { refused: 2 },
    );
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
  });

  test('tells nothing that an earlier one of this host has told', async () => {
    const { signals } = await told(
      async (notice) => {
        notice.working();
        await settled();
      },
      { before: HOST },
    );
    expect(signals).toEqual([]);
  });

  test('of another host tells it anew', async () => {
    const { signals } = await told(
      async (notice) => {
        notice.working();
        await settled();
      },
      { before: '10.0.0.2' },
    );
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
  });

  test('that ends without a result takes it back', async () => {
    const { signals, carried } = await told(async (notice) => {
      notice.working();
      await notice.ended();
    });
    expect(signals).toEqual([{ phase: 'P1', host: HOST }, { phase: 'P1' }]);
    expect(carried).toEqual([HOST, undefined]);
  });

  test('that has told nothing takes nothing back: a host that hands a task back makes no events', async () => {
    const { signals } = await told((notice) => notice.ended());
    expect(signals).toEqual([]);
  });
});
