import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { PHASE_IDS } from '../../src/phases.js';
import { COMM_R, fakeActivities, held, OTHER_COMM_R, repeat } from '../helpers/fakes.js';
import { scheduled } from '../helpers/history.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf } from '../helpers/sealing.js';

const layerDamaged = new SealError('StepBack', 'layer 3 is damaged', { at: '1/P2-1', from: 'P1' });
const replicaDamaged = new SealError('StepBack', 'the replica is damaged', { at: '1/P5-1', from: 'P2' });

describe('a step back', () => {
  const { seal } = useOrchestrator();

  test('runs the damaged phase again and continues from its new result', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: [layerDamaged] }) });
    const { fakes, handle } = sealing;
    await handle.result();
    expect(fakes.order().slice(0, 5)).toEqual(['P1', 'P2', 'P1', 'P2', 'P3']);
    expect(fakes.inputsOf('P1').map(({ invalidated }) => invalidated)).toEqual([[], ['1/P1-1']]);
    // A host that is cut off may still be working for the old claim; its attempts must not count as the newest.
    expect(fakes.inputsOf('P1').map(({ claim }) => claim)).toEqual([1, 2]);
    expect(fakes.inputsOf('P6').map(({ claim }) => claim)).toEqual([2]);
    const [, again] = fakes.inputsOf('P2');
    expect(again).toMatchObject({
      inputs: { P1: { at: '1/P1-2' } },
      invalidated: ['1/P1-1'],
      lastReported: '1/P2-1',
    });
    // Later phases get it too: one of them may be the first to access the sector's directory again.
    expect(fakes.inputsOf('P5')[0]?.invalidated).toEqual(['1/P1-1']);
    expect((await sealing.status()).stepsBack).toBe(1);
  });

  test('schedules repeated phases ahead of new work', async () => {
    const { handle } = await seal({ fakes: fakeActivities({ P2: [layerDamaged] }) });
    await handle.result();
    const again = scheduled(await handle.fetchHistory()).slice(2, 4);
    expect(again).toMatchObject([
      { activity: 'preCommitPhase1', priority: 1 },
      { activity: 'preCommitPhase2', priority: 1 },
    ]);
  });

  test('waits until the parallel phase has ended', async () => {
    const [proof, copy] = [held(), held()];
    const slowToEnd = async () => {
      try {
        await proof.wait();
      } catch (cancelled) {
        await sleep(500); // An engine does not stop at once.
        throw cancelled;
      }
      return {};
    };
    const copyFails = async () => {
      await copy.wait();
      throw replicaDamaged;
    };
    const sealing = await seal({ fakes: fakeActivities({ P4: [slowToEnd], P5: [copyFails] }) });
    await sealing.fakes.begun('P4');
    copy.release();
    const { fakes, handle } = sealing;
    await handle.result();
    expect(fakes.order().slice(5, 7)).toEqual(['P2', 'P3']);
    fakes.expectOrder('P4 is cancelled', 'P2 begins');
    expect(PHASE_IDS.map((phase) => fakes.calls(phase))).toEqual([1, 2, 2, 2, 2, 1]);
    const [, again] = fakes.inputsOf('P4');
    expect(again).toMatchObject({
      inputs: { P2: { at: '1/P2-2' }, P3: { at: '1/P3-2' } },
      invalidated: ['1/P2-1'],
    });
    expect(fakes.inputsOf('P6')[0]?.results).toMatchObject({
      P1: { at: '1/P1-1' },
      P2: { at: '1/P2-2' },
      P5: { at: '1/P5-2' },
    });
  });

  test('clears the attention of the parallel phase', async () => {
    const copy = held();
    const copyFails = async () => {
      await copy.wait();
      throw replicaDamaged;
    };
    const refused = new SealError('BadInput', 'no such proof');
    const sealing = await seal({ fakes: fakeActivities({ P4: [refused], P5: [copyFails] }) });
    await sealing.untilAttention('P4');
    copy.release();
    await sealing.handle.result();
    expect((await sealing.status()).attention).toEqual([]);
    expect(sealing.fakes.calls('P4')).toBe(2);
  });

  test('from P6 repeats only the copy', async () => {
    const lost = new SealError('StepBack', 'the copy is gone', { from: 'P5' });
    const { fakes, handle } = await seal({ fakes: fakeActivities({ P6: [lost] }) });
    await handle.result();
    expect(fakes.order().slice(-3)).toEqual(['P6', 'P5', 'P6']);
    expect(fakes.calls('P4')).toBe(1);
    expect(fakes.inputsOf('P6')[1]?.results.P5.at).toBe('1/P5-2');
  });

  test('that fixes nothing three times needs attention, and can be retried', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: repeat(4, layerDamaged) }) });
    const { attention, stepsBack } = await sealing.untilAttention('P2');
    expect(attention).toMatchObject([{ phase: 'P2', type: 'StepBack', message: 'layer 3 is damaged' }]);
    expect(stepsBack).toBe(3);
    expect(sealing.fakes.calls('P1')).toBe(4);
    expect(await sealing.retry()).toBe('going on');
    await sealing.handle.result();
    expect(sealing.fakes.calls('P2')).toBe(5);
    expect(sealing.fakes.calls('P1')).toBe(4);
  });

  test('without a phase to go back to needs attention', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P3: [new SealError('StepBack', 'who knows')] }) });
    await sealing.untilAttention('P3');
    await sealing.retry();
    await sealing.handle.result();
  });
});

describe('a commR that differs after a step back', () => {
  const { seal } = useOrchestrator();
  const fakes = () =>
    fakeActivities({
      P2: [() => ({ commR: COMM_R }), () => ({ commR: OTHER_COMM_R })],
      P5: [replicaDamaged],
    });

  test('needs attention until it is accepted', async () => {
    const sealing = await seal({ fakes: fakes() });
    const { attention, state } = await sealing.untilAttention('P2');
    expect(state).toBe('needs-attention');
    expect(attention).toMatchObject([{ phase: 'P2', type: 'ChangedCommR' }]);
    expect(attention[0]?.message).toContain(COMM_R);
    expect(attention[0]?.message).toContain(OTHER_COMM_R);
    expect(attention[0]?.hint).toContain('--accept-commr');
    const p3 = sealing.fakes.calls('P3');
    // A retry without acceptCommR is not enough.
    expect(await failureOf(sealing.retry())).toMatch(/^CommRChanged: ./);
    await sealing.untilAttention('P2');
    expect(sealing.fakes.calls('P3')).toBe(p3);
    await sealing.retry({ acceptCommR: true });
    expect(await sealing.handle.result()).toMatchObject({ commR: OTHER_COMM_R });
    expect(sealing.fakes.calls('P2')).toBe(2);
  });

  test('is dropped when P2 runs again and computes the published one', async () => {
    const sealing = await seal({ fakes: fakes() });
    await sealing.untilAttention('P2');
    expect(await sealing.retry({ from: 'P2' })).toBe('back to P2');
    expect(await sealing.handle.result()).toMatchObject({ commR: COMM_R });
    expect(sealing.fakes.inputsOf('P2')[2]?.invalidated).toEqual(['1/P2-1', '1/P2-2']);
  });
});
