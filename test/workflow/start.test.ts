/** `startSector` as `sealflow start` uses it, on the queue that orchestrators poll. */
import { describe, expect, test } from 'vitest';
import { startSector } from '../../src/temporal/ask/start-sector.js';
import { WORKFLOW_QUEUE } from '../../src/contract.js';
import { SealError } from '../../src/seal-error.js';
import { sectorOf } from '../../src/sector.js';
import { UserError } from '../../src/user-error.js';
import { fakeActivities, held } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { TICKET, type Sealing } from '../helpers/sealing.js';

describe('startSector', () => {
  const orchestrator = useOrchestrator({ queue: WORKFLOW_QUEUE });
  const start = ({ input: { v: _version, ...input } }: Sealing) => {
    const sealed = startSector(orchestrator.temporal.client, input).then((handle) => handle.result());
    // It may reject before the test awaits it; without a handler that would be an unhandled rejection.
    sealed.catch(() => undefined);
    return sealed;
  };

  const refusal = async (promise: Promise<unknown>): Promise<UserError> => {
    const error: unknown = await promise.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  };

  test('starts a sector under its ID, with a summary for the Web UI', async () => {
    const sealing = await orchestrator.prepare({ fakes: fakeActivities() });
    const { sector, group } = sealing.input;
    expect(await start(sealing)).toMatchObject({ sector });
    const description = await sealing.handle.describe();
    expect(description.workflowId).toBe(`seal-t01000-${sectorOf(sector).number}`);
    expect(await description.staticSummary()).toBe(`${sector} 32GiB group ${group}`);
    expect(await description.staticDetails()).toContain(TICKET);
  });

  test('refuses a sector that is being sealed', async () => {
    const p1 = held();
    const sealing = await orchestrator.prepare({ fakes: fakeActivities({ P1: [p1] }) });
    const sealed = start(sealing);
    await sealing.fakes.begun('P1');
    const { message, exitCode, hint } = await refusal(start(sealing));
    expect(message).toContain(`${sealing.input.sector} is being sealed`);
    expect(exitCode).toBe(1);
    expect(hint).toContain('sealflow status');
    p1.release();
    await sealed;
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('starts only one of two concurrent requests', async () => {
    const sealing = await orchestrator.prepare({ fakes: fakeActivities() });
    const both = await Promise.allSettled([start(sealing), start(sealing)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('refuses a sealed sector', async () => {
    const sealing = await orchestrator.prepare({ fakes: fakeActivities() });
    await start(sealing);
    expect((await refusal(start(sealing))).message).toContain('is already sealed');
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('restarts a cancelled sector, which then completes', async () => {
    const sealing = await orchestrator.prepare({ fakes: fakeActivities({ P1: [held()] }) });
    const first = start(sealing);
    await sealing.fakes.begun('P1');
    await sealing.handle.cancel();
    await expect(first).rejects.toThrow();
    expect(await start(sealing)).toMatchObject({ sector: sealing.input.sector });
    expect(sealing.fakes.events.slice(0, 5)).toEqual([
      'P1 begins',
      'P1 is cancelled',
      'stop begins',
      'stop ends',
      'P1 begins',
    ]);
  });

  test('restarts a sector whose workflow failed or was terminated', async () => {
    const sealed = new SealError('AlreadySealed', 'done is there');
    const sealing = await orchestrator.prepare({ fakes: fakeActivities({ P1: [sealed, held()] }) });
    await expect(start(sealing)).rejects.toThrow();
    const second = start(sealing);
    await sealing.fakes.begun('P1', 2);
    await sealing.handle.terminate();
    await expect(second).rejects.toThrow();
    await start(sealing);
  });

  test.each([
    ['sector', { sector: 't1000-7' }],
    ['ticket', { ticket: 'abc' }],
    ['seed', { seed: '00'.repeat(32) }],
    ['group', { group: -1 }],
  ])('refuses an invalid %s before anything is started', async (name, wrong) => {
    const sealing = await orchestrator.prepare({ fakes: fakeActivities(), serve: [] });
    const error = await refusal(startSector(orchestrator.temporal.client, { ...sealing.input, ...wrong }));
    expect(error.message).toContain(name);
    expect(error.exitCode).toBe(2);
    await expect(sealing.handle.describe()).rejects.toThrow(/not found/i);
  });
});
