/** `abort`: besides P6, the only way to delete a sector's files. */
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { sealState } from '../../src/search-attributes.js';
import { SealError } from '../../src/seal-error.js';
import { abortUpdate, type Abort } from '../../src/messages.js';
import { fakeActivities, held, repeat } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import type { Sealing } from '../helpers/sealing.js';

const ask = ({ handle }: Sealing, given?: Abort): Promise<string> =>
  handle.executeUpdate(abortUpdate, { args: [given] });

/** The run ends as failed, so that the workflow ID can be reused. */
async function expectAborted(
  { handle }: Sealing,
  message = 'by an operator; 512 bytes freed',
): Promise<void> {
  const error: unknown = await handle.result().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ type: 'Aborted', message });
}

const refusal = async (sealing: Sealing, given?: Abort): Promise<unknown> => {
  const error: unknown = await ask(sealing, given).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  return (error as WorkflowUpdateFailedError).cause;
};

describe('abort', () => {
  const { seal } = useOrchestrator();

  test('while P1 runs: stops P1, then deletes', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()] }) });
    await sealing.fakes.begun('P1');
    expect(await ask(sealing)).toBe('aborting');
    await expectAborted(sealing);
    expect(sealing.fakes.events).toEqual(['P1 begins', 'P1 is cancelled', 'abort begins', 'abort ends']);
    expect((await sealing.status()).state).toBe('aborted');
    expect(sealing.fakes.inputsOf('abort')).toMatchObject([
      { v: 1, seal: sealing.input, claim: 1, why: 'aborted: by an operator' },
    ]);
  });

  test('while P4 and P5 run: stops both', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P4: [held()], P5: [held()] }) });
    await sealing.fakes.begun('P4');
    await sealing.fakes.begun('P5');
    await ask(sealing, { why: 'wrong miner' });
    await expectAborted(sealing, 'wrong miner; 512 bytes freed');
    expect(sealing.fakes.events.slice(-4, -2).sort()).toEqual(['P4 is cancelled', 'P5 is cancelled']);
  });

  test('of a phase that no worker has taken', async () => {
    const sealing = await seal({ fakes: fakeActivities(), serve: ['control'] });
    await sealing.until(({ phases }) => phases.P1.state === 'queued');
    await ask(sealing);
    await expectAborted(sealing);
    expect(sealing.fakes.events).toEqual(['abort begins', 'abort ends']);
  });

  test('of a phase that is handed back repeatedly', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P1: repeat(1000, new SealError('NoRoom', 'no room')) }),
    });
    await sealing.fakes.begun('P1', 3);
    await ask(sealing);
    await expectAborted(sealing);
  });

  test('of a phase in backoff', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P1: repeat(4, new SealError('Panic', 'oh')) }),
      input: { timeScale: 1 },
    });
    await sealing.untilBackingOff('P1');
    await ask(sealing);
    await expectAborted(sealing);
  });

  test('of a sector that needs attention', async () => {
    const attention = await seal({ fakes: fakeActivities({ P1: [new SealError('BadInput', 'no')] }) });
    await attention.until(({ state }) => state === 'needs-attention');
    await ask(attention);
    await expectAborted(attention);
  });

  test('of a sector that is waiting for its seed', async () => {
    const waiting = await seal({ fakes: fakeActivities(), input: { seed: undefined } });
    await waiting.until(({ state }) => state === 'waiting-for-seed');
    await ask(waiting);
    await expectAborted(waiting);
  });

  test('is retried until it succeeds', async () => {
    const failed = new SealError('MountMissing', 'storage node is not there');
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()], abort: repeat(3, failed) }) });
    await sealing.fakes.begun('P1');
    await ask(sealing);
    await expectAborted(sealing);
    expect(sealing.fakes.calls('abort')).toBe(4);
  });

  test('of a sector that another run has claimed fails, and nothing says that it goes on', async () => {
    const refused = new SealError('ClaimedByOther', 'epoch 2 belongs to another run; nothing was changed');
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()], abort: [refused] }) });
    await sealing.fakes.begun('P1');
    await ask(sealing);
    await expect(sealing.handle.result()).rejects.toMatchObject({ cause: { type: 'ClaimedByOther' } });
    expect((await sealing.status()).state).toBe('failed');
    expect((await sealing.lists()).get(sealState)).toBe('failed');
  });

  test('continues when the run is cancelled as well', async () => {
    const deleting = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()], abort: [deleting] }) });
    await sealing.fakes.begun('P1');
    await ask(sealing);
    await sealing.fakes.begun('abort');
    await sealing.handle.cancel();
    deleting.release();
    await expectAborted(sealing);
  });

  test('is refused once P6 has begun', async () => {
    const cleaning = held();
    const sealing = await seal({ fakes: fakeActivities({ P6: [cleaning] }) });
    await sealing.fakes.begun('P6');
    expect(await refusal(sealing)).toMatchObject({ type: 'TooLate' });
    cleaning.release();
    await sealing.handle.result();
  });

  test('is refused while the run is being cancelled', async () => {
    const stopping = held();
    const cancelled = await seal({ fakes: fakeActivities({ P1: [held()], stop: [stopping] }) });
    await cancelled.fakes.begun('P1');
    await cancelled.handle.cancel();
    await cancelled.fakes.begun('stop');
    expect(await refusal(cancelled)).toMatchObject({ type: 'TooLate', message: 'the sector is stopping' });
    stopping.release();
    await cancelled.handle.result().catch(() => undefined);
  });

  test('refuses invalid input', async () => {
    const p1 = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [p1] }) });
    await sealing.fakes.begun('P1');
    expect(await refusal(sealing, { reason: 'x' } as Abort)).toMatchObject({ type: 'BadAbort' });
    p1.release();
    await sealing.handle.result();
  });
});
