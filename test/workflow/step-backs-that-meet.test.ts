/** While a step back waits for the phases that it stops, another one may be requested. The earlier phase wins. */
import { describe, expect, test } from 'vitest';
import { SealError } from '../../src/seal-error.js';
import { fakeActivities, held } from '../helpers/fakes.js';
import { storyOf } from '../helpers/history.js';
import { eventually } from '../helpers/eventually.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { OTHER_SEED, OTHER_TICKET, SEED, type Sealing } from '../helpers/sealing.js';

const replicaDamaged = new SealError('StepBack', 'the replica is damaged', { at: '1/P5-1', from: 'P2' });

const untilStopping = ({ handle }: Sealing) =>
  eventually(async () => (await storyOf(handle)).includes('activityTaskCancelRequested'));

describe('while P4 is being stopped for a step back', () => {
  const { seal } = useOrchestrator();

  /** P4 runs until `end` is released, even when it is cancelled. */
  async function sealing(copyFails: boolean) {
    const [end, copy] = [held(), held()];
    const slowToEnd = async () => {
      await end.waitToTheEnd();
      return {};
    };
    const fails = async () => {
      await copy.wait();
      if (copyFails) throw replicaDamaged;
      return {};
    };
    const started = await seal({ fakes: fakeActivities({ P4: [slowToEnd], P5: [fails] }) });
    await started.fakes.begun('P4');
    await started.fakes.begun('P5');
    return { started, end, copy };
  }

  test('a request for a later phase does not replace an earlier one', async () => {
    const { started, end } = await sealing(false);
    await started.retry({ from: 'P2' });
    await untilStopping(started);
    await started.provideSeed({ seed: OTHER_SEED, replace: true });
    end.release();
    await started.handle.result();
    expect(started.fakes.calls('P2')).toBe(2);
    expect(started.fakes.inputsOf('P2')[1]?.invalidated).toContain('1/P2-1');
    expect(started.fakes.inputsOf('P3').map(({ seal }) => seal.seed)).toEqual([SEED, OTHER_SEED]);
  });

  test('a request for an earlier phase replaces a later one', async () => {
    const { started, end } = await sealing(false);
    await started.retry({ from: 'P4' });
    await untilStopping(started);
    await started.retry({ from: 'P2' });
    end.release();
    await started.handle.result();
    expect(started.fakes.calls('P2')).toBe(2);
  });

  test('a new ticket goes back to P1, whatever a phase requests', async () => {
    const { started, end, copy } = await sealing(true);
    copy.release();
    await untilStopping(started);
    expect(await started.retry({ ticket: OTHER_TICKET })).toContain('back to P1');
    end.release();
    await started.until(({ state }) => state === 'waiting-for-seed');
    await started.provideSeed({ seed: SEED });
    await started.handle.result();
    expect(started.fakes.inputsOf('P1').map(({ seal }) => seal.ticket)).toEqual([
      started.input.ticket,
      OTHER_TICKET,
    ]);
    expect(started.fakes.inputsOf('P2')[1]?.inputs.P1?.at).toBe('1/P1-2');
  });

  test('an operator can request an earlier phase than P5 does', async () => {
    const { started, end, copy } = await sealing(true);
    copy.release();
    await untilStopping(started);
    expect(await started.retry({ from: 'P1' })).toBe('back to P1');
    end.release();
    await started.handle.result();
    expect(started.fakes.calls('P1')).toBe(2);
  });
});
