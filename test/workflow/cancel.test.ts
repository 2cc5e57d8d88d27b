import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { fakeActivities, held, repeat } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import type { Sealing } from '../helpers/sealing.js';

const refused = new SealError('BadInput', 'no such job');
const panic = new SealError('Panic', 'index out of bounds');

async function cancel(sealing: Sealing): Promise<void> {
  await sealing.handle.cancel();
  await expectStopped(sealing);
}

/** The run ends as cancelled; its engines are stopped once, as the last step. */
async function expectStopped({ handle, fakes, input }: Sealing): Promise<void> {
  await expectCancelled(handle.result());
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(fakes.events.slice(-2)).toEqual(['stop begins', 'stop ends']);
  expect(fakes.inputsOf('stop')).toEqual([
    { v: 1, seal: input, claim: 1, run: expect.any(String) as string, why: 'cancelled' },
  ]);
}

async function expectCancelled(result: Promise<unknown>): Promise<void> {
  const error: unknown = await result.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
}

describe('cancel', () => {
  const { seal } = useOrchestrator();

  test('while P1 runs: stops P1 and ends', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()] }) });
    await sealing.fakes.begun('P1');
    await cancel(sealing);
    expect(sealing.fakes.events).toEqual(['P1 begins', 'P1 is cancelled', 'stop begins', 'stop ends']);
    expect((await sealing.status()).state).toBe('stopped');
  });

  test('while P4 and P5 run: stops both', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P4: [held()], P5: [held()] }) });
    await sealing.fakes.begun('P4');
    await sealing.fakes.begun('P5');
    await cancel(sealing);
    const ends = sealing.fakes.events.slice(-4, -2);
    expect(ends.sort()).toEqual(['P4 is cancelled', 'P5 is cancelled']);
  });

  test('while P1 waits for a worker', async () => {
    const sealing = await seal({ fakes: fakeActivities(), serve: ['control'] });
    await sealing.until(({ phases }) => phases.P1.state === 'queued');
    await cancel(sealing);
  });

  test('while P1 is handed back repeatedly', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P1: repeat(1000, new SealError('NoRoom', 'no room')) }),
    });
    await sealing.fakes.begun('P1', 3);
    await cancel(sealing);
  });

  test('between two tries', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [panic] }), input: { timeScale: 1 } });
    await sealing.untilBackingOff('P1');
    await cancel(sealing);
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('while it waits for the seed', async () => {
    const sealing = await seal({ fakes: fakeActivities(), input: { seed: undefined } });
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    await cancel(sealing);
  });

  test('while it needs attention', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: [refused] }) });
    await sealing.untilAttention('P2');
    await cancel(sealing);
    expect((await sealing.status()).attention).toEqual([]);
  });

  test('while P4 needs attention and P5 runs', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P4: [refused], P5: [held()] }) });
    await sealing.untilAttention('P4');
    await sealing.fakes.begun('P5');
    await cancel(sealing);
  });

  test.each([
    new SealError('StepBack', 'layer 3 is damaged', { from: 'P1' }),
    new SealError('Panic', 'killed by the stop'),
    new SealError('Draining', 'on its way out'),
    new SealError('BadInput', 'no such job'),
  ])('of a phase that then ends with $type', async (end) => {
    const p2 = held();
    const endsBadly = async () => {
      await p2.wait().catch(() => undefined);
      throw end;
    };
    const sealing = await seal({ fakes: fakeActivities({ P2: [endsBadly] }) });
    await sealing.fakes.begun('P2');
    await cancel(sealing);
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('while a step back waits for the parallel phase', async () => {
    const [proof, copy, end] = [held(), held(), held()];
    const slowToEnd = async () => {
      await proof.wait().catch(() => end.waitToTheEnd());
      return {};
    };
    const copyFails = async () => {
      await copy.wait();
      throw new SealError('StepBack', 'the replica is damaged', { from: 'P2' });
    };
    const sealing = await seal({ fakes: fakeActivities({ P4: [slowToEnd], P5: [copyFails] }) });
    await sealing.fakes.begun('P4');
    copy.release();
    await sealing.until(({ phases }) => phases.P5.failure !== undefined);
    await sealing.handle.cancel();
    await sealing.status(); // It is answered after the cancellation.
    end.release();
    await expectStopped(sealing);
    expect(sealing.fakes.calls('P2')).toBe(1);
  });

  test('ends the workflow even if the engines cannot be stopped', async () => {
    const { fakes, handle } = await seal({
      fakes: fakeActivities({ P1: [held()], stop: [new SealError('ClaimedByOther', 'of another run')] }),
    });
    await fakes.begun('P1');
    await handle.cancel();
    await expectCancelled(handle.result());
    expect(fakes.calls('stop')).toBe(1);
  });
});

describe('cancel', () => {
  const { seal } = useOrchestrator();

  test('ends the workflow even without a worker of the group', async () => {
    const sealing = await seal({ fakes: fakeActivities(), serve: [], input: { timeScale: 0.002 } });
    await sealing.until(({ phases }) => phases.P1.state === 'queued');
    await sealing.handle.cancel();
    await sealing.until(({ state }) => state === 'stopping');
    await expectCancelled(sealing.handle.result());
  });

  test('before any activity has started', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()] }) });
    await sealing.handle.cancel();
    await expectCancelled(sealing.handle.result());
  });

  test('during P6: stops P6', async () => {
    const p6 = held();
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P6: [p6] }) });
    await fakes.begun('P6');
    await handle.cancel();
    await expectCancelled(handle.result());
    expect(fakes.events.slice(-3)).toEqual(['P6 is cancelled', 'stop begins', 'stop ends']);
  });

  test('passes a seed that arrived later to the control queue', async () => {
    const p3 = held();
    const sealing = await seal({ fakes: fakeActivities({ P3: [p3] }), input: { seed: undefined } });
    await sealing.provideSeed({ seed: 'cc'.repeat(32) });
    await sealing.fakes.begun('P3');
    await sealing.handle.cancel();
    await expectCancelled(sealing.handle.result());
    expect(sealing.fakes.inputsOf('stop')[0]?.seal.seed).toBe('cc'.repeat(32));
  });
});
