/** Sectors that wait or fail for months. The server terminates a workflow with more than 300 events. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { fakeActivities, held, repeat } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { SEED, type Sealing } from '../helpers/sealing.js';

const LIMITS = {
  'limit.historyCount.warn': 100,
  'limit.historyCount.suggestContinueAsNew': 80,
  'limit.historyCount.error': 300,
};
const refused = new SealError('BadInput', 'no such job', { at: '1/P1-1' });

const runIdOf = async ({ handle }: Sealing): Promise<string> => (await handle.describe()).runId;
const eventsOf = async ({ handle }: Sealing): Promise<number> => (await handle.describe()).historyLength;

const refusalOf = (error: unknown): string =>
  String(error instanceof WorkflowUpdateFailedError ? error.cause?.message : error);

describe('on a server with low limits', () => {
  const { seal } = useOrchestrator({ dynamicConfig: LIMITS });
  vi.setConfig({ testTimeout: 120_000 });

  test('a sector that is retried 1,000 times has under 100 events', async () => {
    const full = new SealError('NoSpace', 'the disk is full');
    // Delays are 5 ms at most: the test is about the events of a retry.
    const sealing = await seal({ fakes: fakeActivities({ P4: repeat(1000, full) }, 1e-5) });
    const runId = await runIdOf(sealing);
    await sealing.handle.result();
    expect(sealing.fakes.calls('P4')).toBe(1001);
    expect(await runIdOf(sealing)).toBe(runId);
    expect(await eventsOf(sealing)).toBeLessThan(100);
  });

  test('a sector that keeps failing continues as new with its full state', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P3: repeat(40, refused) }),
      input: { priority: true },
    });
    const first = await runIdOf(sealing);
    const runs = new Set<string>();
    for (let tries = 1; tries <= 40; tries++) {
      await sealing.fakes.begun('P3', tries);
      await sealing.untilAttention('P3');
      runs.add(await runIdOf(sealing));
      expect(await sealing.retry()).toBe('going on');
    }
    await sealing.handle.result();
    expect(runs.size).toBeGreaterThan(2);
    const { phases } = await sealing.status();
    expect(phases.P3.tries).toBe(41);
    // No phase was repeated, and all runs claim under the first run's ID.
    expect([sealing.fakes.calls('P1'), sealing.fakes.calls('P2')]).toEqual([1, 1]);
    for (const phase of ['P1', 'P3', 'P5'] as const)
      expect(new Set(sealing.fakes.inputsOf(phase).map(({ run }) => run))).toEqual(new Set([first]));
  });

  test('a sector that waits for its seed or for a person still waits in the next run', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P1: repeat(30, refused) }),
      input: { seed: undefined },
    });
    for (let tries = 1; tries <= 30; tries++) {
      await sealing.fakes.begun('P1', tries);
      await sealing.untilAttention('P1');
      await sealing.retry();
    }
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    expect(sealing.fakes.calls('P1')).toBe(31);
    await sealing.provideSeed({ seed: SEED });
    await sealing.handle.result();
  });

  test('updates sent during continue-as-new are not lost', async () => {
    const copy = held();
    const sealing = await seal({ fakes: fakeActivities({ P4: repeat(20, refused), P5: [copy] }) });
    await sealing.fakes.begun('P5');
    let taken = 0;
    const retry = async (): Promise<void> => {
      const answer = await sealing.retry().catch(refusalOf);
      if (answer === 'going on') taken += 1;
      else expect(answer).toMatch(/nothing is waiting for a retry|P6 has begun|already completed/);
    };
    // Sent together, so that some arrive as the run ends: this run or the next answers each.
    while (sealing.fakes.calls('P4') <= 20) await Promise.all([retry(), retry(), retry()]);
    copy.release();
    await sealing.handle.result();
    expect(taken).toBeGreaterThanOrEqual(20);
    expect(sealing.fakes.calls('P4')).toBe(21);
    expect(sealing.fakes.calls('P6')).toBe(1);
  });
});
