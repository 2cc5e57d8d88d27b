import { describe, expect, test } from 'vitest';
import { sealState } from '../../src/search-attributes.js';
import { SealError } from '../../src/seal-error.js';
import { FAILURES, type FailureType } from '../../src/failures.js';
import { eventually } from '../helpers/eventually.js';
import { fakeActivities, heldInSilence, PROOF, repeat, hostOf } from '../helpers/fakes.js';
import { scheduled, storyOf } from '../helpers/history.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf, type Sealing } from '../helpers/sealing.js';

const panic = new SealError('Panic', 'index out of bounds', { at: '1/P2-1', host: '10.0.0.2' });

/** Where it does not say so itself, a hint ends with how the sector goes on. */
const hintOf = (type: FailureType, { input: { sector } }: Sealing): string =>
  FAILURES[type].hint.includes('retry')
    ? FAILURES[type].hint
    : `${FAILURES[type].hint}; then sealflow retry ${sector}`;

const stateInLists = async (sealing: Sealing) => (await sealing.lists()).get(sealState);

describe('a phase that fails', () => {
  const { seal } = useOrchestrator();

  test('is retried by the server, without events in the history', async () => {
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P2: [panic, panic] }) });
    await handle.result();
    expect(fakes.calls('P2')).toBe(3);
    const tries = scheduled(await handle.fetchHistory()).filter(
      ({ activity }) => activity === 'preCommitPhase2',
    );
    expect(tries).toHaveLength(1);
    expect(await storyOf(handle)).not.toContain('timerStarted');
  });

  test('five times in a row needs attention (status, details, lists) until retry', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: repeat(5, panic) }) });
    const { state, attention, phases } = await sealing.untilAttention('P2');
    expect(sealing.fakes.calls('P2')).toBe(5);
    expect(state).toBe('needs-attention');
    expect(attention).toMatchObject([
      { phase: 'P2', type: 'Panic', message: 'index out of bounds', hint: hintOf('Panic', sealing) },
    ]);
    expect(attention[0]?.since).toBeGreaterThan(0);
    expect(phases.P2).toMatchObject({ tries: 1, failure: 'Panic: index out of bounds' });
    const details = await sealing.details();
    for (const part of ['needs-attention', 'index out of bounds', FAILURES.Panic.hint])
      expect(details).toContain(part);
    await eventually(async () => (await stateInLists(sealing)) === 'needs-attention');
    expect(await sealing.retry()).toBe('going on');
    await sealing.handle.result();
    expect(sealing.fakes.calls('P2')).toBe(6);
    expect(sealing.fakes.inputsOf('P2').at(-1)?.lastReported).toBe('1/P2-1');
    const again = scheduled(await sealing.handle.fetchHistory()).filter(
      ({ activity }) => activity === 'preCommitPhase2',
    );
    expect(again.map(({ priority }) => priority)).toEqual([3, 1]);
    expect(again[1]?.summary).toContain('try 2');
    expect((await sealing.status()).attention).toEqual([]);
    expect(await stateInLists(sealing)).toBe('sealed');
  });
});

describe('failures', () => {
  const { seal } = useOrchestrator();

  test('may occur five more times after a retry', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: repeat(10, panic) }) });
    await sealing.untilAttention('P2');
    await sealing.retry();
    await sealing.fakes.begun('P2', 6);
    await sealing.untilAttention('P2');
    expect(sealing.fakes.calls('P2')).toBe(10);
    await sealing.retry();
    await sealing.handle.result();
  });

  test('are counted from zero after progress', async () => {
    const died = (recorded: number) => new SealError('EngineDied', 'killed', { recorded });
    const steps = [died(0), died(0), died(0), died(0), died(1), died(1), died(1), died(2)];
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P1: steps }) });
    await handle.result();
    expect(fakes.calls('P1')).toBe(9);
  });

  test('of a damaged copy need attention the second time: it is copied again once', async () => {
    const damaged = new SealError('CopyDamaged', 'sealed differs: BLAKE3 ab, written were cd', {
      at: '1/P5-1',
    });
    const passing = new SealError('PassingFault', 'I/O error');
    const sealing = await seal({ fakes: fakeActivities({ P5: [passing, damaged, passing, damaged] }) });
    const { attention } = await sealing.untilAttention('P5');
    expect(sealing.fakes.calls('P5')).toBe(4);
    expect(attention).toMatchObject([
      { phase: 'P5', type: 'CopyDamaged', message: 'sealed differs: BLAKE3 ab, written were cd' },
    ]);
    await sealing.retry();
    await sealing.handle.result();
  });

  test('are still counted when the recorded layers are not new', async () => {
    const died = new SealError('EngineDied', 'killed', { recorded: 3 });
    // The first failure reports progress; five more may follow.
    const sealing = await seal({ fakes: fakeActivities({ P1: repeat(6, died) }) });
    await sealing.untilAttention('P1');
    expect(sealing.fakes.calls('P1')).toBeLessThan(7);
  });

  test.each(['NoSlot', 'NoRoom', 'BusyElsewhere', 'TooNew', 'NotOfGroup'] as const)(
    '%s hands the task back without an event',
    async (type) => {
      const back = new SealError(type, 'not here, not now');
      const sealing = await seal({ fakes: fakeActivities({ P1: repeat(7, back) }) });
      await sealing.handle.result();
      expect(sealing.fakes.calls('P1')).toBe(8);
      expect((await sealing.status()).phases.P1).toMatchObject({ state: 'done', tries: 1 });
      const story = await storyOf(sealing.handle);
      expect(story.filter((event) => event === 'activityTaskScheduled')).toHaveLength(6);
      expect(story).not.toContain('activityTaskFailed');
    },
  );

  test('a draining worker is no fault: rescheduled first once, then retried without events', async () => {
    const draining = new SealError('Draining', 'as it happens', { at: '1/P1-1' });
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P1: repeat(6, draining) }) });
    await handle.result();
    expect(fakes.calls('P1')).toBe(7);
    const priorities = scheduled(await handle.fetchHistory()).map(({ priority }) => priority);
    expect(priorities.slice(0, 3)).toEqual([3, 1, 3]);
    expect(await storyOf(handle)).not.toContain('timerStarted');
  });

  test('Overtaken by a claim that is not newer is retried with a delay', async () => {
    const overtaken = new SealError('Overtaken', 'a claim of its own is in force', { claim: 1 });
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P1: repeat(3, overtaken) }) });
    await handle.result();
    expect(fakes.calls('P1')).toBe(4);
    const story = await storyOf(handle);
    expect(story.filter((event) => event === 'timerStarted')).toHaveLength(2);
  });

  test('a worker without heartbeats is lost: rescheduled at once, ahead of new work', async () => {
    const { fakes, handle } = await seal({
      fakes: fakeActivities({ P1: [heldInSilence()] }),
      input: { priority: true },
    });
    await handle.result();
    expect(fakes.calls('P1')).toBe(2);
    const [first, second] = scheduled(await handle.fetchHistory());
    expect([first?.priority, second?.priority]).toEqual([2, 1]);
    const story = await storyOf(handle);
    expect(story).toContain('activityTaskTimedOut');
    expect(story).not.toContain('timerStarted');
  });

  test.each(['NoSpace', 'MountMissing', 'MissingParameters'] as const)(
    '%s is retried without limit; retry ends the backoff',
    async (type) => {
      const outage = new SealError(type, 'not now');
      // At this scale only `retry` ends a backoff before the test times out.
      const sealing = await seal({
        fakes: fakeActivities({ P4: repeat(6, outage) }),
        input: { timeScale: 1 },
      });
      for (let tries = 1; tries <= 6; tries++) {
        await sealing.untilBackingOff('P4', tries);
        expect((await sealing.status()).state).toBe('queued');
        expect(await sealing.retry()).toBe('going on');
      }
      await sealing.handle.result();
      expect(sealing.fakes.calls('P4')).toBe(7);
    },
  );

  test('an unexpected error is reported as Unknown, with its name', async () => {
    const strange = new RangeError('what is this');
    const sealing = await seal({ fakes: fakeActivities({ P3: repeat(5, strange) }) });
    const { attention } = await sealing.untilAttention('P3');
    expect(attention).toMatchObject([
      {
        type: 'Unknown',
        message: `${hostOf('P3')}: RangeError: what is this`,
        hint: hintOf('Unknown', sealing),
      },
    ]);
  });

  test.each(['BadInput', 'CopyDiffers'] as const)('%s needs attention at once', async (type) => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [new SealError(type, 'look at this')] }) });
    const { attention, proof } = await sealing.untilAttention('P6');
    expect(attention).toMatchObject([{ phase: 'P6', type, hint: hintOf(type, sealing) }]);
    // The proof is available even though P6 failed.
    expect(proof).toBe(PROOF);
    await sealing.retry();
    await sealing.handle.result();
  });

  test('a later claim of the same run, made before the database was restored, is adopted', async () => {
    const overtaken = new SealError('Overtaken', "epoch 5 is this run's claim 3", { claim: 3 });
    const sealing = await seal({ fakes: fakeActivities({ P2: [overtaken] }) });
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P2').map(({ claim }) => claim)).toEqual([1, 3]);
    expect(sealing.fakes.inputsOf('P6').map(({ claim }) => claim)).toEqual([3]);
  });

  test('retry reclaims a sector that another run has claimed', async () => {
    const claimed = new SealError('ClaimedByOther', 'epoch 3 is of run x');
    const sealing = await seal({ fakes: fakeActivities({ P2: [claimed] }) });
    await sealing.untilAttention('P2');
    await sealing.retry();
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P2').map(({ claim }) => claim)).toEqual([1, 2]);
    expect(sealing.fakes.inputsOf('P3').map(({ claim }) => claim)).toEqual([2]);
  });

  test('a sector that is already sealed fails the workflow', async () => {
    const sealed = new SealError('AlreadySealed', 'done/s-t01000-7.json is there');
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P1: [sealed] }) });
    expect(await failureOf(handle.result())).toBe('AlreadySealed: done/s-t01000-7.json is there');
    expect(fakes.events).toEqual(['P1 begins', 'P1 fails']);
  });
});
