/** What becomes of a phase when one of its activities ends. */
import { describe, expect, test } from 'vitest';
import { FAILURES, type FailureType } from '../../../src/failures.js';
import { PHASE_IDS } from '../../../src/phases.js';
import { phaseState, type SectorState } from '../../../src/workflows/core/state.js';
import {
  after,
  begins,
  cleaned,
  CLEANED,
  done,
  fails,
  goOn,
  landed,
  NOW,
  PROVED,
  retry,
  rewound,
} from '../../helpers/story.js';

const types = Object.keys(FAILURES) as FailureType[];
const failing = (...kinds: string[]): FailureType[] =>
  types.filter((type) => kinds.includes(FAILURES[type].recovery));
const times = <T>(n: number, what: T): T[] => Array<T>(n).fill(what);
const stateOf = (state: SectorState): string => phaseState(state, 'P1');

describe('a phase that is done', () => {
  test('has forgotten its faults, not its tries', () => {
    const state = after(
      ...times(2, fails('P1', 'Draining', { at: '1/P1-1', recorded: 3 })),
      fails('P1', 'StepBack', { from: 'P1' }),
      rewound,
      done('P1'),
    );
    expect(state.phases.P1).toEqual({
      tries: 4,
      active: false,
      backingOff: false,
      interruptions: 0,
      stepBacks: 0,
      recorded: 0,
      host: '10.0.0.1',
      seconds: 1.5,
    });
  });

  test('as the last one seals the sector', () => {
    const state = after(PROVED, begins('P6'), cleaned);
    expect(state.ending).toEqual({ state: 'sealed', cleaned: CLEANED });
    expect(PHASE_IDS.map((phase) => phaseState(state, phase))).toEqual(times(6, 'done'));
  });
});

describe('a phase whose worker goes away', () => {
  test.each(['Draining', 'LostWorker', 'Overtaken'] as const)(
    'begins again at once, from the second time on after a delay, however often (%s)',
    (type) => {
      expect(stateOf(after(fails('P1', type)))).toBe('waiting');
      for (const often of [2, 50]) expect(stateOf(after(...times(often, fails('P1', type))))).toBe('backoff');
    },
  );

  test('waits no more when it has begun again', () => {
    const state = after(PROVED, ...times(2, fails('P6', 'LostWorker')), fails('P6', 'NotLanded'));
    expect(phaseState(state, 'P6')).toBe('waiting');
  });

  test('is counted anew when it has got on, and not for layers that were there before', () => {
    const twice = after(...times(2, fails('P1', 'Draining', { recorded: 3 })));
    expect(stateOf(twice)).toBe('backoff');
    for (const details of [{}, { recorded: 2 }, { recorded: 3 }])
      expect(stateOf(goOn(twice, fails('P1', 'Draining', details)))).toBe('backoff');
    expect(stateOf(goOn(twice, fails('P1', 'Draining', { recorded: 4 })))).toBe('waiting');
    const further = goOn(twice, fails('P1', 'Draining', { recorded: 4 }));
    expect(stateOf(goOn(further, fails('P1', 'Draining', { recorded: 4 })))).toBe('backoff');
  });

  test('ends no wait of a person’s: that takes a retry', () => {
    const waits = after(...times(9, fails('P1', 'Draining')));
    const state = goOn(waits, retry());
    expect(stateOf(state)).toBe('waiting');
    expect(stateOf(goOn(state, fails('P1', 'Draining')))).toBe('waiting');
  });
});

describe('a phase that takes too long', () => {
  const slow = fails('P1', 'TimedOut', { recorded: 1 });

  test('five times needs attention, and after a retry five times more', () => {
    expect(stateOf(after(...times(4, slow)))).toBe('backoff');
    const state = after(...times(5, slow));
    expect(stateOf(state)).toBe('needs-attention');
    expect(stateOf(goOn(state, retry(), ...times(4, slow)))).toBe('backoff');
    expect(stateOf(goOn(state, retry(), ...times(5, slow)))).toBe('needs-attention');
  });

  test('but gets on between two times, does not', () => {
    const state = after(...times(4, slow), fails('P1', 'TimedOut', { recorded: 2 }), ...times(3, slow));
    expect(stateOf(state)).toBe('backoff');
  });
});

describe('a claim that is in force', () => {
  test('is taken up at once where it is a later one of the run', () => {
    const state = after(fails('P1', 'Draining'), fails('P1', 'Overtaken', { claim: 4 }));
    expect(state.claim).toBe(4);
    expect(stateOf(state)).toBe('waiting');
  });

  test.each([1, 0])('of %d is no news to a run that has made its first: it does not count back', (claim) => {
    const state = after(...times(2, fails('P1', 'Overtaken', { claim })));
    expect(state.claim).toBe(1);
    expect(stateOf(state)).toBe('backoff');
  });

  test('of another run is taken back by a retry, with a claim of its own', () => {
    const state = after(fails('P1', 'ClaimedByOther'));
    expect([state.claim, stateOf(state)]).toEqual([1, 'needs-attention']);
    expect(goOn(state, retry()).claim).toBe(2);
    expect(after(fails('P1', 'BadInput'), retry()).claim).toBe(1);
  });
});

describe('a failure', () => {
  test.each(failing('hand back', 'retry', 'retry counted', 'attention'))(
    '%s is for a person to look at',
    (type) => {
      const { attention } = after(fails('P1', type, {}, 'what has happened'));
      const hint = expect.stringContaining(FAILURES[type].hint) as string;
      expect(attention).toEqual({
        P1: { phase: 'P1', type, message: 'what has happened', hint, since: NOW },
      });
      // Nothing goes on by itself from here: each hint says how it does.
      expect(attention.P1?.hint).toMatch(/retry/);
    },
  );

  test.each(failing('fail'))('%s ends the workflow as failed', (type) => {
    const state = after(fails('P1', type, {}, 'what has happened'));
    expect(state.ending).toEqual({
      state: 'failed',
      failure: { type, message: 'what has happened', details: {} },
    });
    expect(state.attention).toEqual({});
  });

  test('of a P6 that must not delete yet makes it wait until the proof has landed', () => {
    const state = after(PROVED, fails('P6', 'NotLanded'));
    expect(state).toMatchObject({ keepUntilLanded: true, landed: false, attention: {} });
    expect(goOn(state, landed)).toMatchObject({ landed: true });
  });

  test('leaves word which attempt it was, until a newer one has failed', () => {
    const state = after(fails('P1', 'Panic', { at: '1/P1-1' }), retry(), fails('P1', 'LostWorker'));
    expect(state.phases.P1.lastReported).toBe('1/P1-1');
    expect(goOn(state, fails('P1', 'Panic', { at: '1/P1-2' })).phases.P1.lastReported).toBe('1/P1-2');
  });

  test('of a P6 that has renamed the scratch away is not forgotten by the next one', () => {
    expect(after(PROVED, fails('P6', 'NotOurs')).stored).toBe(false);
    const state = after(PROVED, fails('P6', 'NotOurs', { stored: true }), retry(), fails('P6', 'Draining'));
    expect(state.stored).toBe(true);
  });
});

describe('a phase that asks for an earlier one', () => {
  const damaged = [...fails('P2', 'StepBack', { from: 'P1' }, 'layer 3 is damaged'), rewound, ...done('P1')];
  const { hint, repeatedHint } = FAILURES.StepBack;

  test('asks for it without a person', () => {
    const state = after(done('P1'), fails('P2', 'StepBack', { from: 'P1' }, 'layer 3 is damaged'));
    expect(state.attention).toEqual({});
    expect(state.pendingStepBacks).toMatchObject([{ to: 'P1', reason: 'layer 3 is damaged' }]);
  });

  test('the fourth time needs attention: the damage comes from somewhere', () => {
    const three = after(done('P1'), damaged, damaged, damaged);
    expect(three).toMatchObject({ attention: {}, stepsBack: 3 });
    const four = goOn(three, fails('P2', 'StepBack', { from: 'P1' }));
    expect(four.pendingStepBacks).toEqual([]);
    expect(four.attention.P2).toMatchObject({ type: 'StepBack', hint: repeatedHint });
    expect(goOn(four, retry(), damaged).attention).toEqual({});
  });

  test('and was done in between is counted anew', () => {
    const state = after(done('P1'), damaged, damaged, damaged, done('P2'), damaged);
    expect(state).toMatchObject({ attention: {}, stepsBack: 4 });
  });

  test('without naming it needs attention, and the hint asks for the phase', () => {
    const { attention, pendingStepBacks } = after(done('P1'), fails('P2', 'StepBack'));
    expect(pendingStepBacks).toEqual([]);
    expect(attention.P2?.hint).toBe(hint);
    expect(hint).toContain('retry --from');
  });

  test('gives the hints of its own failures, also after it has stepped back', () => {
    const state = after(done('P1'), damaged, fails('P2', 'BadInput'));
    expect(state.attention.P2?.hint).toContain(FAILURES.BadInput.hint);
  });
});
