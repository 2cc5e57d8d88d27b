import { describe, expect, test } from 'vitest';
import { retryUpdate } from '../../src/messages.js';
import { SealError } from '../../src/seal-error.js';
import { PHASE_IDS } from '../../src/phases.js';
import { fakeActivities, held, OTHER_COMM_R } from '../helpers/fakes.js';
import { storyOf } from '../helpers/history.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf, OTHER_SEED, OTHER_TICKET, SEED } from '../helpers/sealing.js';

const refused = new SealError('BadInput', 'the ticket is too old');

describe('retry', () => {
  const { seal } = useOrchestrator();

  test('cannot go back once P6 has renamed the scratch, but resumes P6', async () => {
    const stuck = new SealError('NotOurs', 'a symbolic link', { stored: true });
    const sealing = await seal({ fakes: fakeActivities({ P6: [stuck] }) });
    await sealing.untilAttention('P6');
    expect(await failureOf(sealing.retry({ from: 'P2' }))).toBe('TooLate: P6 has begun');
    expect(await failureOf(sealing.provideSeed({ seed: OTHER_SEED, replace: true }))).toBe(
      'TooLate: P6 has begun',
    );
    expect(await sealing.retry()).toBe('going on');
    await sealing.handle.result();
  });

  test('from P2 while P5 runs repeats everything from P2 on', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P5: [held()] }) });
    const { fakes, handle } = sealing;
    await sealing.until(({ phases }) => phases.P4.state === 'done' && phases.P5.state === 'queued');
    await fakes.begun('P5');
    expect(await sealing.retry({ from: 'P2' })).toBe('back to P2');
    await handle.result();
    expect(PHASE_IDS.map((phase) => fakes.calls(phase))).toEqual([1, 2, 2, 2, 2, 1]);
    fakes.expectOrder('P5 is cancelled', 'P2 begins');
    const invalidated = ['1/P2-1', '1/P3-1', '1/P4-1'];
    for (const phase of ['P2', 'P3', 'P4', 'P5'] as const) {
      expect(fakes.inputsOf(phase)[1]?.invalidated.toSorted(), phase).toEqual(invalidated);
    }
    expect(fakes.inputsOf('P4')[1]?.inputs).toMatchObject({ P2: { at: '1/P2-2' }, P3: { at: '1/P3-2' } });
  });

  test('with a new ticket restarts from P1, drops the seed and accepts a different commR', async () => {
    const sealing = await seal({
      fakes: fakeActivities({ P2: [() => ({}), () => ({ commR: OTHER_COMM_R })], P3: [refused] }),
      input: { ticketEpoch: 4_000_000 },
    });
    const { fakes, handle } = sealing;
    await sealing.untilAttention('P3');
    expect(await sealing.retry({ ticket: OTHER_TICKET })).toBe('back to P1 with a new ticket');
    const waiting = await sealing.until(({ state }) => state === 'waiting-for-seed');
    expect(waiting).toMatchObject({ ticket: OTHER_TICKET, commR: OTHER_COMM_R, attention: [] });
    expect(waiting.seed).toBeUndefined();
    await sealing.provideSeed({ seed: OTHER_SEED });
    expect(await handle.result()).toMatchObject({ commR: OTHER_COMM_R });
    expect(fakes.order().slice(0, 6)).toEqual(['P1', 'P2', 'P3', 'P1', 'P2', 'P3']);
    expect(fakes.inputsOf('P1')[1]?.seal).toMatchObject({ ticket: OTHER_TICKET });
    expect(fakes.inputsOf('P1')[1]?.seal).not.toHaveProperty('ticketEpoch');
    expect(fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([SEED, OTHER_SEED]);
  });

  test('with a new ticket stops the P1 of the old one', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()] }) });
    const { fakes, handle } = sealing;
    await fakes.begun('P1');
    await sealing.retry({ ticket: OTHER_TICKET });
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    await sealing.provideSeed({ seed: SEED });
    await handle.result();
    expect(fakes.events.slice(0, 4)).toEqual(['P1 begins', 'P1 is cancelled', 'P1 begins', 'P1 ends']);
  });

  test('without any input resumes, as from the Temporal CLI', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: [refused] }) });
    await sealing.untilAttention('P2');
    const update = sealing.handle.executeUpdate(retryUpdate.name, { args: [] });
    await expect(update).resolves.toBe('going on');
    await sealing.handle.result();
  });

  test('is refused when nothing is waiting for it, without an event', async () => {
    const p1 = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [p1] }) });
    await sealing.fakes.begun('P1');
    const story = await storyOf(sealing.handle);
    expect(await failureOf(sealing.retry())).toMatch(/^NothingToRetry: ./);
    expect(await failureOf(sealing.retry({ acceptCommR: true }))).toMatch(/^NothingToRetry: ./);
    expect(await storyOf(sealing.handle)).toEqual(story);
    p1.release();
    await sealing.handle.result();
    expect(sealing.fakes.order()).toHaveLength(6);
  });

  test('is refused when P6 has begun', async () => {
    const p6 = held();
    const sealing = await seal({ fakes: fakeActivities({ P6: [p6] }) });
    await sealing.fakes.begun('P6');
    for (const given of [{}, { from: 'P2' }, { ticket: OTHER_TICKET }] as const) {
      expect(await failureOf(sealing.retry(given))).toMatch(/^TooLate: ./);
    }
    p6.release();
    await sealing.handle.result();
    expect(sealing.fakes.order()).toHaveLength(6);
  });
});

describe('retry', () => {
  const { seal } = useOrchestrator();

  test.each([
    [{ from: 'P7' }, 'from'],
    [{ from: 2 }, 'from'],
    [{ ticket: 'abc' }, 'ticket'],
    [{ acceptCommR: 'yes' }, 'acceptCommR'],
    [{ form: 'P2' }, 'form'],
    ['P2', 'object'],
  ])('with %j is refused and names %s', async (given, named) => {
    const sealing = await seal({ fakes: fakeActivities({ P1: [refused] }) });
    await sealing.untilAttention('P1');
    const message = await failureOf(sealing.handle.executeUpdate(retryUpdate, { args: [given as never] }));
    expect(message).toMatch(/^BadRetry: ./);
    expect(message).toContain(named);
    expect((await sealing.status()).state).toBe('needs-attention');
  });

  test('ends the backoff of P6, as it does not go back', async () => {
    const fault = new SealError('PassingFault', 'input/output error');
    const sealing = await seal({ fakes: fakeActivities({ P6: [fault] }), input: { timeScale: 1 } });
    await sealing.untilBackingOff('P6');
    expect(await sealing.retry()).toBe('going on');
    await sealing.handle.result();
    expect(sealing.fakes.calls('P6')).toBe(2);
  });

  test('from a phase that has not started does not disturb running phases', async () => {
    const p1 = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [p1] }) });
    await sealing.fakes.begun('P1');
    await sealing.retry({ from: 'P4' }).catch(() => undefined);
    expect(await storyOf(sealing.handle)).not.toContain('activityTaskCancelRequested');
    p1.release();
    await sealing.handle.result();
  });

  test('from P4 repeats P4 and P5, but neither P3 nor anything before it', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [refused] }) });
    await sealing.untilAttention('P6');
    expect(await sealing.retry({ from: 'P4' })).toBe('back to P4');
    await sealing.handle.result();
    expect(PHASE_IDS.map((phase) => sealing.fakes.calls(phase))).toEqual([1, 1, 1, 2, 2, 2]);
  });
});
