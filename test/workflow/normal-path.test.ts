import { describe, expect, test } from 'vitest';
import { PHASE_IDS, PHASES } from '../../src/phases.js';
import { COMM_D, COMM_R, fakeActivities, held, PROOF, STORAGE } from '../helpers/fakes.js';
import { largestPayload, scheduled } from '../helpers/history.js';
import { CACHE_MODES, useOrchestrator } from '../helpers/orchestrator.js';
import { SEED, TICKET } from '../helpers/sealing.js';

describe.each(CACHE_MODES)('a sector without failures, $cache', (mode) => {
  const { seal } = useOrchestrator(mode);

  test('runs the six phases and returns commR, commD, proof and storage', async () => {
    const { handle, input, fakes } = await seal({ fakes: fakeActivities() });
    expect(await handle.result()).toEqual({
      v: 1,
      sector: input.sector,
      commR: COMM_R,
      commD: COMM_D,
      proof: PROOF,
      storage: STORAGE,
      bytesFreed: 500_000_000_000,
    });
    const order = fakes.order();
    expect(order.slice(0, 3)).toEqual(['P1', 'P2', 'P3']);
    expect(order.slice(3, 5).sort()).toEqual(['P4', 'P5']);
    expect(order.slice(5)).toEqual(['P6']);
  });

  test('needs exactly six activities, few events and small payloads', async () => {
    const { handle, input } = await seal({ fakes: fakeActivities() });
    await handle.result();
    const history = await handle.fetchHistory();
    const events = history.events?.length ?? 0;
    const largest = largestPayload(history);
    console.log(
      `events ${events}, activities ${scheduled(history).length}, largest payload ${largest} bytes`,
    );
    expect(scheduled(history).map(({ activity }) => activity)).toEqual(
      PHASE_IDS.map((phase) => PHASES[phase].activity),
    );
    expect(scheduled(history).map(({ queue }) => queue)).toEqual(
      PHASE_IDS.map((phase) => `sealflow/${input.group}/32GiB/${PHASES[phase].queueName}`),
    );
    expect(events).toBeLessThan(60);
    expect(largest).toBeLessThan(8 * 1024);
  });

  test('passes each phase the results it depends on', async () => {
    const { handle, input, fakes } = await seal({ fakes: fakeActivities() });
    await handle.result();
    const { runId: run } = await handle.describe();
    const usual = { v: 1, seal: input, claim: 1, run, invalidated: [] };
    const inputsOfPhase = (phase: 'P1' | 'P2' | 'P3' | 'P4' | 'P5') => {
      const [{ inputs, ...rest } = { inputs: {} }] = fakes.inputsOf(phase);
      expect(rest).toEqual({ ...usual, phase });
      return Object.values(inputs).map(({ at }) => at);
    };
    expect(inputsOfPhase('P1')).toEqual([]);
    expect(inputsOfPhase('P2')).toEqual(['1/P1-1']);
    expect(inputsOfPhase('P3')).toEqual(['1/P2-1']);
    expect(inputsOfPhase('P4')).toEqual(['1/P2-1', '1/P3-1']);
    expect(inputsOfPhase('P5')).toEqual(['1/P2-1']);
    expect(fakes.inputsOf('P6')[0]).toMatchObject({
      v: 1,
      seal: input,
      claim: 1,
      results: {
        P1: { at: '1/P1-1' },
        P2: { at: '1/P2-1' },
        P3: { at: '1/P3-1' },
        P4: { at: '1/P4-1' },
        P5: { at: '1/P5-1' },
      },
    });
  });

  test('runs P4 and P5 in parallel, and P6 when both are done', async () => {
    const [proof, copy] = [held(), held()];
    const sealing = await seal({ fakes: fakeActivities({ P4: [proof], P5: [copy] }) });
    const { fakes, handle } = sealing;
    await fakes.begun('P4');
    await fakes.begun('P5');
    copy.release();
    const { phases } = await sealing.until((status) => status.phases.P5.state === 'done');
    expect([phases.P4.state, phases.P6.state]).toEqual(['queued', 'waiting']);
    proof.release();
    await handle.result();
    expect(fakes.events.slice(-4)).toEqual(['P5 ends', 'P4 ends', 'P6 begins', 'P6 ends']);
  });

  test('shows commR from P2 on and the proof from P4 on', async () => {
    const [p3, copy] = [held(), held()];
    const sealing = await seal({ fakes: fakeActivities({ P3: [p3], P5: [copy] }) });
    await sealing.fakes.begun('P3');
    const afterP2 = await sealing.status();
    expect(afterP2).toMatchObject({
      state: 'queued',
      ticket: TICKET,
      seed: SEED,
      commD: COMM_D,
      commR: COMM_R,
    });
    expect(afterP2.proof).toBeUndefined();
    p3.release();
    expect((await sealing.until(({ phases }) => phases.P4.state === 'done')).proof).toBe(PROOF);
    copy.release();
    await sealing.handle.result();
  });
});
