/** The workflow is told where work goes on, once it has lasted, and that it has ended without a result. */
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkNotice } from '../../../src/activities/work-notice.js';
import type { Working } from '../../../src/messages.js';
import { PHASE_IDS, TIMES, workShownAfter } from '../../../src/phases.js';

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

/** How long work must last before it is told. */
const AFTER = 5_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const lasts = (ms = AFTER): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a task', () => {
  test('tells once that it works, however often that is seen', async () => {
    const { signals, carried } = await told(async (notice) => {
      notice.working(AFTER);
      notice.working(AFTER);
      await lasts();
      notice.working(AFTER);
      await lasts();
    });
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
    expect(carried).toEqual([HOST]);
  });

  test('tells nothing of work that is over before: it would cost the sector five events', async () => {
    const { signals } = await told(async (notice) => {
      notice.working(AFTER);
      await lasts(AFTER - 1);
      notice.working(AFTER);
      notice.stop();
      await lasts();
    });
    expect(signals).toEqual([]);
  });

  test('counts from the beginning of the work, also if nothing is seen of it', async () => {
    const { signals } = await told(async (notice) => {
      notice.working(AFTER);
      await lasts(AFTER - 1);
      notice.working(AFTER);
      await lasts(1);
    });
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
  });

  test('tells it again when the server was away', async () => {
    const { signals } = await told(
      async (notice) => {
        notice.working(AFTER);
        await lasts();
        for (let seen = 0; seen < 3; seen++) {
          notice.working(AFTER);
          await lasts(1);
        }
      },
      { refused: 2 },
    );
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
  });

  test('tells nothing that an earlier one of this host has told', async () => {
    const { signals } = await told(
      async (notice) => {
        notice.working(AFTER);
        await lasts();
      },
      { before: HOST },
    );
    expect(signals).toEqual([]);
  });

  test('of another host tells it anew', async () => {
    const { signals } = await told(
      async (notice) => {
        notice.working(AFTER);
        await lasts();
      },
      { before: '10.0.0.2' },
    );
    expect(signals).toEqual([{ phase: 'P1', host: HOST }]);
  });

  test('that ends without a result takes it back', async () => {
    const { signals, carried } = await told(async (notice) => {
      notice.working(AFTER);
      await lasts();
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

test('what takes seconds or minutes is told only when it takes longer', () => {
  const after = PHASE_IDS.map((phase) => workShownAfter(phase, TIMES));
  expect(after).toEqual([5_000, 5_000, 600_000, 5_000, 5_000, 600_000]);
});
