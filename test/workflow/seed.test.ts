import { describe, expect, test } from 'vitest';
import { provideSeedUpdate, type SealStatus } from '../../src/messages.js';
import { sealState } from '../../src/search-attributes.js';
import { eventually } from '../helpers/eventually.js';
import { COMM_R, fakeActivities, held } from '../helpers/fakes.js';
import { storyOf } from '../helpers/history.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf, OTHER_SEED, SEED, type Sealing } from '../helpers/sealing.js';

async function untilWaiting(sealing: Sealing): Promise<SealStatus> {
  await eventually(async () => (await sealing.lists()).get(sealState) === 'waiting-for-seed');
  return sealing.status();
}

describe('the seed', () => {
  const { seal } = useOrchestrator();

  test('is awaited after P2, with commR shown', async () => {
    const sealing = await seal({ fakes: fakeActivities(), input: { seed: undefined } });
    const waiting = await untilWaiting(sealing);
    expect(waiting).toMatchObject({
      commR: COMM_R,
      phases: { P2: { state: 'done' }, P3: { state: 'waiting' } },
    });
    expect(waiting.seed).toBeUndefined();
    expect(await sealing.details()).toContain(Buffer.from(COMM_R, 'base64').toString('hex'));
    expect(await sealing.provideSeed({ seed: SEED })).toBe('stored');
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P3')[0]?.seal).toEqual({ ...sealing.input, seed: SEED });
    expect(sealing.fakes.order()).toHaveLength(6);
  });

  test('is not awaited when it arrived during P1', async () => {
    const p1 = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [p1] }), input: { seed: undefined } });
    await sealing.fakes.begun('P1');
    expect(await sealing.provideSeed({ seed: SEED })).toBe('stored');
    p1.release();
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P3')[0]?.seal.seed).toBe(SEED);
    expect(sealing.fakes.calls('P1')).toBe(1);
  });

  test('can be sent again; a different one is refused without an event', async () => {
    const p3 = held();
    const sealing = await seal({ fakes: fakeActivities({ P3: [p3] }), input: { seed: undefined } });
    await untilWaiting(sealing);
    await sealing.provideSeed({ seed: SEED });
    await sealing.fakes.begun('P3');
    expect(await sealing.provideSeed({ seed: SEED })).toBe('already set');
    const story = await storyOf(sealing.handle);
    expect(await failureOf(sealing.provideSeed({ seed: OTHER_SEED }))).toMatch(/^SeedKnown: .*replace/);
    expect(await storyOf(sealing.handle)).toEqual(story);
    p3.release();
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([SEED]);
  });

  test('is refused without an event when it is invalid', async () => {
    const sealing = await seal({ fakes: fakeActivities(), input: { seed: undefined } });
    await untilWaiting(sealing);
    const story = await storyOf(sealing.handle);
    const wrong: unknown[] = [
      { seed: 'abc' },
      { seed: SEED.toUpperCase() },
      { seed: `0x${SEED}` },
      { seed: '00'.repeat(32) },
      { seed: SEED, replce: true },
      { seed: SEED, replace: 'yes' },
      { seed: null },
      {},
      SEED,
      undefined,
    ];
    for (const given of wrong) {
      const update = sealing.handle.executeUpdate(provideSeedUpdate, { args: [given as never] });
      expect(await failureOf(update), JSON.stringify(given)).toMatch(/^BadSeed: ./);
    }
    expect(await storyOf(sealing.handle)).toEqual(story);
    expect((await sealing.status()).state).toBe('waiting-for-seed');
  });

  test('can be replaced: P3 and P4 run again, and nothing before them', async () => {
    const [proof, copy] = [held(), held()];
    const sealing = await seal({ fakes: fakeActivities({ P4: [proof], P5: [copy] }) });
    const { fakes, handle } = sealing;
    await fakes.begun('P4');
    await fakes.begun('P5');
    expect(await sealing.provideSeed({ seed: OTHER_SEED, replace: true })).toBe('replaced');
    await fakes.begun('P4', 2);
    copy.release();
    await handle.result();
    expect(fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([SEED, OTHER_SEED]);
    expect(fakes.inputsOf('P4').map(({ seal }) => seal.seed)).toEqual([SEED, OTHER_SEED]);
    expect(fakes.inputsOf('P4')[1]?.inputs.P3?.at).toBe('1/P3-2');
    // The results for the old seed do not match the new one, but they are not invalid.
    expect(fakes.inputsOf('P3')[1]?.invalidated).toEqual([]);
    expect([fakes.calls('P1'), fakes.calls('P2')]).toEqual([1, 1]);
    fakes.expectOrder('P4 is cancelled', 'P3 begins');
  });

  test('can be replaced while P1 runs, without stopping it', async () => {
    const p1 = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [p1] }) });
    await sealing.fakes.begun('P1');
    expect(await sealing.provideSeed({ seed: OTHER_SEED, replace: true })).toBe('replaced');
    expect(await storyOf(sealing.handle)).not.toContain('activityTaskCancelRequested');
    p1.release();
    await sealing.handle.result();
    expect(sealing.fakes.calls('P1')).toBe(1);
    expect(sealing.fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([OTHER_SEED]);
  });

  test('can be replaced while P4 runs, without copying again', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P4: [held()] }) });
    await sealing.fakes.begun('P4');
    await sealing.until(({ phases }) => phases.P5.state === 'done');
    await sealing.provideSeed({ seed: OTHER_SEED, replace: true });
    await sealing.handle.result();
    expect(sealing.fakes.calls('P5')).toBe(1);
    expect(sealing.fakes.calls('P4')).toBe(2);
  });

  test('cannot be replaced once P6 has begun', async () => {
    const p6 = held();
    const sealing = await seal({ fakes: fakeActivities({ P6: [p6] }) });
    await sealing.fakes.begun('P6');
    expect(await failureOf(sealing.provideSeed({ seed: OTHER_SEED, replace: true }))).toMatch(/^TooLate: /);
    p6.release();
    await sealing.handle.result();
    expect(sealing.fakes.calls('P3')).toBe(1);
  });
});
