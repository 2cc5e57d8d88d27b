/** Going back to an earlier phase: asked for by a phase, by a person, by another seed or ticket. */
import { describe, expect, test } from 'vitest';
import { ENGINE_PHASE_IDS, PHASE_IDS, type EnginePhaseId } from '../../../src/phases.js';
import { answerToRetry, refusalOfRetry } from '../../../src/workflows/core/answers.js';
import type { Event } from '../../../src/workflows/core/reduce.js';
import { activePhases, hasChangedCommR, mustEndPass, phaseState } from '../../../src/workflows/core/state.js';
import {
  after,
  begins,
  done,
  ends,
  fails,
  goOn,
  kept,
  NOW,
  PROVED,
  retry,
  rewound,
  seed,
} from '../../helpers/story.js';

const damaged = (phase: EnginePhaseId, from: EnginePhaseId) => fails(phase, 'StepBack', { from });
const PROVING: Event[] = [...done('P1', 'P2'), seed, ...done('P3'), begins('P4'), begins('P5')];

describe('a step back', () => {
  test.each([
    ['P1', []],
    ['P2', ['P1']],
    ['P3', ['P1', 'P2', 'P5']],
    ['P4', ['P1', 'P2', 'P3', 'P5']],
    ['P5', ['P1', 'P2', 'P3', 'P4']],
  ] as const)('to %s keeps what does not depend on it: %j', (to, expected) => {
    const state = after(PROVED, fails('P6', 'StepBack', { from: to }), rewound);
    expect(kept(state)).toEqual(expected);
    // What was made of a damaged file may be right: it counts again if it fits.
    expect(state.invalidated).toEqual([`1/${to}-1`]);
    expect(ENGINE_PHASE_IDS.filter((phase) => state.phases[phase].host !== undefined)).toEqual(expected);
  });

  test('is a claim of its own, and is counted', () => {
    expect(after(done('P1'), damaged('P2', 'P1'), rewound)).toMatchObject({
      claim: 2,
      stepsBack: 1,
      pendingStepBacks: [],
    });
  });

  test('ends the pass, and all that is under way in it', () => {
    const asked = after(PROVING, damaged('P4', 'P3'));
    expect(mustEndPass(asked)).toBe(true);
    expect(activePhases(asked)).toEqual(['P5']);
    const state = goOn(asked, rewound);
    expect(mustEndPass(state)).toBe(false);
    expect(activePhases(state)).toEqual([]);
  });

  test('ends what a person was asked, and a delay', () => {
    const lost = fails('P5', 'LostWorker');
    for (const beside of [fails('P5', 'BadInput'), [...lost, ...lost]]) {
      const state = after(done('P1', 'P2'), seed, done('P3'), beside, damaged('P4', 'P3'), rewound);
      expect(activePhases(state)).toEqual([]);
    }
  });

  test('that is asked for while another one is, is followed too', () => {
    const state = after(PROVING, damaged('P4', 'P3'), retry({ from: 'P2' }), rewound);
    expect(kept(state)).toEqual(['P1']);
    expect(state).toMatchObject({ stepsBack: 2, claim: 2 });
    expect(state.invalidated).toEqual(['1/P3-1', '1/P2-1']);
    const again = goOn(state, done('P2', 'P3'), damaged('P4', 'P3'), rewound);
    expect(again.invalidated).toEqual(['1/P3-1', '1/P2-1', '1/P3-1']);
  });

  // B3: P4 finds P3's file bad while P5 copies.
  test('of P4 makes a P5 beside it wait, and no retry from there takes anything back', () => {
    const state = after(PROVING, damaged('P4', 'P3'), rewound, begins('P3'));
    expect(phaseState(state, 'P5')).toBe('waiting');
    expect(activePhases(state)).toEqual(['P3']);
    expect(answerToRetry(state, { from: 'P5' })).toBe('P5 has not started yet');
    expect(goOn(state, retry({ from: 'P5' })).pendingStepBacks).toEqual([]);
    expect(refusalOfRetry(state, {})).toMatchObject({ type: 'NothingToRetry' });
  });
});

describe('a retry from a phase', () => {
  test('takes back all that follows, and none of it counts again', () => {
    const asked = after(PROVED, retry({ from: 'P4' }));
    expect(asked.pendingStepBacks).toMatchObject([{ to: 'P4', reason: 'requested by an operator' }]);
    const state = goOn(asked, rewound);
    expect(kept(state)).toEqual(['P1', 'P2', 'P3']);
    expect(state.invalidated).toEqual(['1/P4-1', '1/P5-1']);
  });

  test('of P6 takes back no result', () => {
    const state = after(PROVED, fails('P6', 'CopyDiffers'), retry({ from: 'P6' }), rewound);
    expect(kept(state)).toEqual(ENGINE_PHASE_IDS);
    expect(activePhases(state)).toEqual([]);
  });

  test('is no answer to what another phase asks', () => {
    const state = after(done('P1'), fails('P2', 'BadInput'), retry({ from: 'P3' }));
    expect(state.pendingStepBacks).toEqual([]);
    expect(activePhases(state)).toEqual(['P2']);
  });

  test('counts the faults of the phases anew that it takes back', () => {
    const slow = Array(5).fill(fails('P2', 'TimedOut')).flat();
    const state = after(
      done('P1'),
      slow,
      retry({ from: 'P1' }),
      rewound,
      done('P1'),
      fails('P2', 'TimedOut'),
    );
    expect(state.attention).toEqual({});
    const stepBack = [...damaged('P2', 'P1'), rewound, ...done('P1')];
    const often = [...stepBack, ...stepBack, ...stepBack, ...damaged('P2', 'P1')];
    expect(after(done('P1'), often).attention.P2?.type).toBe('StepBack');
    const again = after(done('P1'), often, retry({ from: 'P1' }), rewound, done('P1'), stepBack);
    expect(again.attention).toEqual({});
  });
});

describe('a commR that has changed', () => {
  const again = (commR: string): Event[] => [begins('P2'), ends('P2', { commR })];
  const before = [...done('P1', 'P2'), seed, ...done('P3'), ...damaged('P4', 'P2'), rewound];
  const changed = [...before, ...again('another')];

  test('is shown with the one before, and asks for a person', () => {
    expect(after(changed).attention.P2).toMatchObject({
      type: 'ChangedCommR',
      message: 'commR was commR, now it is another',
      since: NOW,
    });
  });

  test('is no question where P2 gives the same again', () => {
    expect(after(before, again('commR')).attention).toEqual({});
  });

  test('is compared with the one that was shown, however often P2 runs', () => {
    const state = after(changed, retry({ from: 'P1' }), rewound, done('P1'));
    expect(goOn(state, again('commR')).attention).toEqual({});
    expect(goOn(state, again('another')).attention.P2?.type).toBe('ChangedCommR');
  });

  test('stays a question through a retry of another phase, and through its step back', () => {
    const beside = after(changed, fails('P5', 'BadInput'), retry());
    expect(Object.keys(beside.attention)).toEqual(['P2']);
    expect(hasChangedCommR(beside)).toBe(true);
    expect(after(changed, damaged('P5', 'P5'), rewound).attention.P2?.type).toBe('ChangedCommR');
  });

  test('that is accepted is the one that was shown', () => {
    const accepted = after(changed, retry({ acceptCommR: true }));
    expect(accepted).toMatchObject({ attention: {}, shownCommR: 'another' });
  });
});

describe('the end', () => {
  test('leaves nothing under way and asks for nobody', () => {
    const lost = fails('P4', 'LostWorker');
    const state = after(begins('P1'), fails('P3', 'BadInput'), lost, lost, {
      type: 'ending',
      state: 'stopping',
    });
    expect(PHASE_IDS.map((phase) => phaseState(state, phase))).toEqual(Array(6).fill('waiting'));
    expect(state.ending).toEqual({ state: 'stopping' });
  });

  test('by an abort is asked for with its reason, and ends the pass', () => {
    const state = after(begins('P1'), { type: 'abort', why: 'wrong miner' });
    expect(state.abortReason).toBe('wrong miner');
    expect(mustEndPass(state)).toBe(true);
    expect(mustEndPass(after(begins('P1')))).toBe(false);
  });
});
