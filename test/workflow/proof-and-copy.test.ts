import { describe, expect, test } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { fakeActivities, held, PROOF } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';

const fault = new SealError('PassingFault', 'input/output error');
const refused = new SealError('BadInput', 'no such job');
const PAIR = [
  { phase: 'P4', other: 'P5' },
  { phase: 'P5', other: 'P4' },
] as const;

describe('P4 and P5', () => {
  const { seal } = useOrchestrator();

  test.each(PAIR)(
    '$phase fails and is retried while $other runs; P6 waits for both',
    async ({ phase, other }) => {
      const rest = held();
      const sealing = await seal({ fakes: fakeActivities({ [phase]: [fault], [other]: [rest] }) });
      const { fakes, handle } = sealing;
      const { phases } = await sealing.until((status) => status.phases[phase].state === 'done');
      expect(phases).toMatchObject({
        [phase]: { tries: 1 },
        [other]: { state: 'queued', tries: 1 },
        P6: { state: 'waiting' },
      });
      rest.release();
      await handle.result();
      expect(fakes.events.slice(-3)).toEqual([`${other} ends`, 'P6 begins', 'P6 ends']);
      expect(fakes.calls('P6')).toBe(1);
    },
  );

  test.each(PAIR)('$phase fails after $other is done; P6 waits for it', async ({ phase, other }) => {
    const first = held();
    const fails = async () => {
      await first.wait();
      throw fault;
    };
    const sealing = await seal({ fakes: fakeActivities({ [phase]: [fails] }) });
    const { fakes, handle } = sealing;
    await sealing.until(({ phases }) => phases[other].state === 'done');
    first.release();
    await handle.result();
    expect(fakes.events.slice(-5)).toEqual([
      `${phase} fails`,
      `${phase} begins`,
      `${phase} ends`,
      'P6 begins',
      'P6 ends',
    ]);
  });

  test.each(PAIR)('$phase needs attention, $other completes, and P6 waits', async ({ phase, other }) => {
    const rest = held();
    const sealing = await seal({ fakes: fakeActivities({ [phase]: [refused], [other]: [rest] }) });
    await sealing.untilAttention(phase);
    await sealing.fakes.begun(other);
    rest.release();
    const { state, phases, proof, attention } = await sealing.until(
      (status) => status.phases[other].state === 'done',
    );
    expect(state).toBe('needs-attention');
    expect(attention.map((one) => one.phase)).toEqual([phase]);
    expect([phases[phase].state, phases.P6.state]).toEqual(['needs-attention', 'waiting']);
    // The proof is available even if the copy is stuck.
    expect(proof).toBe(other === 'P4' ? PROOF : undefined);
    await sealing.retry();
    await sealing.handle.result();
    expect([sealing.fakes.calls(phase), sealing.fakes.calls(other)]).toEqual([2, 1]);
    expect(sealing.fakes.events.slice(-4)).toEqual([
      `${phase} begins`,
      `${phase} ends`,
      'P6 begins',
      'P6 ends',
    ]);
  });

  test('both need attention, and one retry resumes both', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P4: [refused], P5: [refused] }) });
    const { attention } = await sealing.until((status) => status.attention.length === 2);
    expect(attention.map(({ phase }) => phase).sort()).toEqual(['P4', 'P5']);
    await sealing.retry();
    await sealing.handle.result();
    expect([sealing.fakes.calls('P4'), sealing.fakes.calls('P5')]).toEqual([2, 2]);
  });

  test('one is resumed while the other still runs, and needs attention again', async () => {
    const copy = held();
    const sealing = await seal({ fakes: fakeActivities({ P4: [refused, refused], P5: [copy] }) });
    await sealing.untilAttention('P4');
    await sealing.retry();
    await sealing.fakes.begun('P4', 2);
    await sealing.untilAttention('P4');
    expect((await sealing.status()).phases.P5).toMatchObject({ state: 'queued', tries: 1 });
    await sealing.retry();
    copy.release();
    await sealing.handle.result();
    expect(sealing.fakes.calls('P5')).toBe(1);
  });
});
