import { describe, expect, test } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { abortUpdate, landedUpdate } from '../../src/messages.js';
import { sealState } from '../../src/search-attributes.js';
import { eventually } from '../helpers/eventually.js';
import { fakeActivities, held } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf, OTHER_SEED, SEED, type Sealing } from '../helpers/sealing.js';

/** From a host whose config.toml has `[clean] after = "landed"`. */
const notLanded = new SealError('NotLanded', 'the scratch is kept until the proof is on chain');

const landed = (sealing: Sealing, message?: string): Promise<string> =>
  sealing.handle.executeUpdate(landedUpdate, { args: [{ message }] });

const untilWaiting = (sealing: Sealing): Promise<void> =>
  eventually(async () => (await sealing.lists()).get(sealState) === 'waiting-for-landed');

describe('the landed update', () => {
  const { seal } = useOrchestrator();

  test('is awaited when P6 requires it', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [notLanded] }) });
    await untilWaiting(sealing);
    expect(await sealing.status()).toMatchObject({
      state: 'waiting-for-landed',
      attention: [],
      phases: { P4: { state: 'done' }, P5: { state: 'done' }, P6: { state: 'waiting', tries: 1 } },
    });
    expect(await landed(sealing, 'bafy2bzace')).toBe('P6 continues');
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P6').map((input) => input.landed)).toEqual([undefined, true]);
  });

  test('is not awaited when it arrived before P6', async () => {
    const copy = held();
    const sealing = await seal({ fakes: fakeActivities({ P5: [copy] }) });
    await sealing.until(({ phases }) => phases.P4.state === 'done');
    expect(await landed(sealing)).toBe('recorded');
    copy.release();
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P6').map((input) => input.landed)).toEqual([true]);
  });

  test('is refused while there is no proof', async () => {
    const proof = held();
    const sealing = await seal({ fakes: fakeActivities({ P4: [proof] }) });
    await sealing.fakes.begun('P4');
    expect(await failureOf(landed(sealing))).toBe('TooEarly: there is no proof yet');
    proof.release();
    await sealing.handle.result();
  });

  test('is awaited before P6 starts if the sector has cleanAfter, whatever the hosts require', async () => {
    const sealing = await seal({ fakes: fakeActivities(), input: { cleanAfter: 'landed' } });
    await untilWaiting(sealing);
    expect(sealing.fakes.calls('P6')).toBe(0);
    expect(await landed(sealing)).toBe('P6 continues');
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P6').map((input) => input.landed)).toEqual([true]);
  });

  test('is refused when its input is invalid', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [notLanded] }) });
    await untilWaiting(sealing);
    const wrong = sealing.handle.executeUpdate(landedUpdate, { args: [{ cid: 'x' } as never] });
    expect(await failureOf(wrong)).toMatch(/^BadNotice: /);
    expect((await sealing.status()).state).toBe('waiting-for-landed');
  });

  test('may never come: a new seed repeats P3 and P4, and the new proof must land', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [notLanded] }) });
    const { fakes } = sealing;
    await untilWaiting(sealing);
    expect(await sealing.provideSeed({ seed: OTHER_SEED, replace: true })).toBe('replaced');
    await fakes.begun('P4', 2);
    await untilWaiting(sealing);
    expect(await landed(sealing)).toBe('P6 continues');
    await sealing.handle.result();
    expect(fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([SEED, OTHER_SEED]);
    expect([fakes.calls('P1'), fakes.calls('P2'), fakes.calls('P5')]).toEqual([1, 1, 1]);
    expect(fakes.inputsOf('P6').map((input) => input.landed)).toEqual([undefined, true]);
  });

  test('for one proof does not count for the proof that a retry makes', async () => {
    const copy = held();
    const sealing = await seal({ fakes: fakeActivities({ P5: [copy], P6: [notLanded] }) });
    await sealing.until(({ phases }) => phases.P4.state === 'done');
    expect(await landed(sealing)).toBe('recorded');
    expect(await sealing.retry({ from: 'P3' })).toBe('back to P3');
    await untilWaiting(sealing);
    expect(await landed(sealing)).toBe('P6 continues');
    await sealing.handle.result();
    expect(sealing.fakes.inputsOf('P6').map((input) => input.landed)).toEqual([undefined, true]);
    copy.release();
  });

  test('may never come: until then the sector can be aborted', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P6: [notLanded] }) });
    await untilWaiting(sealing);
    await sealing.handle.executeUpdate(abortUpdate, { args: [{ why: 'the message failed' }] });
    expect(await failureOf(sealing.handle.result())).toMatch(/^Aborted: /);
    expect(sealing.fakes.calls('abort')).toBe(1);
  });
});
