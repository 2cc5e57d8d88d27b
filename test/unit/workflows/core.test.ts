/** Properties of the workflow's pure core that hold for any sequence of events. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTRACT_VERSION, type PhaseResult, type SealInput } from '../../../src/contract.js';
import { FAILURES, type FailureType } from '../../../src/failures.js';
import { ENGINE_PHASE_IDS, PHASE_IDS, type EnginePhaseId, type PhaseId } from '../../../src/phases.js';
import { answerToRetry, refusalOfRetry } from '../../../src/workflows/core/answers.js';
import { reduce, type Event } from '../../../src/workflows/core/reduce.js';
import {
  activePhases,
  hasChangedCommR,
  initialState,
  mustEndPass,
  phaseState,
  takenBack,
  waitsForRetry,
  type SectorState,
} from '../../../src/workflows/core/state.js';

const SEED = Number(process.env['SEALFLOW_SEED'] ?? Date.now() % 2 ** 31);
console.log(`fast-check seed ${SEED}`);
const RUNS = { seed: SEED, numRuns: 500 };

const seal: SealInput = {
  v: CONTRACT_VERSION,
  sector: 't01000/7',
  size: '2KiB',
  group: 1,
  ticket: 'aa'.repeat(32),
};

const resultOf = (phase: EnginePhaseId, tag: number): PhaseResult => ({
  v: CONTRACT_VERSION,
  phase,
  at: `1/${phase}-${tag + 1}`,
  digest: String(tag),
  host: 'h',
  seconds: 1,
  commR: phase === 'P2' ? `commR ${tag % 2}` : undefined,
});

const types = Object.keys(FAILURES) as FailureType[];

/** The next event: only running activities can end, while updates can come at any time. */
const choice = fc.record({
  kind: fc.constantFrom('schedule', 'finish', 'fail', 'fail', 'rewind', 'seed', 'landed', 'retry', 'abort'),
  phase: fc.constantFrom(...PHASE_IDS),
  type: fc.constantFrom(...types),
  from: fc.option(fc.constantFrom(...ENGINE_PHASE_IDS), { nil: undefined }),
  tag: fc.nat(3),
  flag: fc.boolean(),
});
type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

function eventOf(state: SectorState, c: Choice): Event | undefined {
  const { phase } = c;
  const { active } = state.phases[phase];
  if (state.ending) return undefined;
  switch (c.kind) {
    case 'schedule':
      return phaseState(state, phase) === 'waiting' && !mustEndPass(state)
        ? { type: 'scheduled', phase }
        : undefined;
    case 'finish':
      return active && phase !== 'P6'
        ? { type: 'finished', phase, result: resultOf(phase, c.tag), now: 1 }
        : undefined;
    case 'fail': {
      const details = { from: c.from, recorded: c.tag, claim: c.flag ? state.claim + 1 : undefined };
      return active
        ? { type: 'failed', phase, failure: { type: c.type, message: 'x', details }, now: 1 }
        : undefined;
    }
    case 'rewind':
      return state.pendingStepBacks.length > 0 ? { type: 'rewound', now: 1 } : undefined;
    case 'seed':
      return { type: 'seed', seed: String(c.tag), replace: c.flag };
    case 'landed':
      return { type: 'landed' };
    case 'retry': {
      const given = { from: c.from, ...(c.flag && { acceptCommR: true }) };
      return refusalOfRetry(state, given) ? undefined : { type: 'retry', ...given };
    }
    default:
      return undefined;
  }
}

/** Applies the choices and checks the property after each step. */
function walk(
  choices: Choice[],
  check: (before: SectorState, event: Event, after: SectorState) => void,
): void {
  let state = initialState(seal);
  for (const one of choices) {
    const event = eventOf(state, one);
    if (!event) continue;
    const frozen = JSON.stringify(state);
    const after = reduce(state, event);
    expect(JSON.stringify(state)).toBe(frozen);
    check(state, event, after);
    state = after;
  }
}

const always = (check: Parameters<typeof walk>[1]): void =>
  fc.assert(
    fc.property(fc.array(choice, { maxLength: 60 }), (choices) => walk(choices, check)),
    RUNS,
  );

const running = (state: SectorState): PhaseId[] =>
  PHASE_IDS.filter((phase) => phaseState(state, phase) === 'running');

describe('in any order of events', () => {
  test('no phase is running without an activity', () => {
    always((before, event, after) => {
      const expected = new Set(running(before));
      if (event.type === 'scheduled') expected.add(event.phase);
      if (event.type === 'finished' || event.type === 'failed') expected.delete(event.phase);
      if (event.type === 'rewound') expected.clear();
      expect(new Set(running(after))).toEqual(expected);
    });
  });

  test('retry answers "going on" only when something is waiting', () => {
    always((before, event) => {
      if (event.type !== 'retry' || answerToRetry(before, event) !== 'going on') return;
      expect(waitsForRetry(before)).toBe(true);
    });
  });

  test('a step back resets only what depends on it, and raises the claim', () => {
    always((before, event, after) => {
      if (event.type !== 'rewound') return;
      const back = new Set(before.pendingStepBacks.flatMap(takenBack));
      for (const phase of ENGINE_PHASE_IDS)
        expect(after.results[phase]).toEqual(back.has(phase) ? undefined : before.results[phase]);
      expect(after.claim).toBeGreaterThan(before.claim);
      expect(after.pendingStepBacks).toEqual([]);
      expect(activePhases(after).filter((phase) => after.attention[phase] === undefined)).toEqual([]);
    });
  });

  test('anything that may repeat has a delay', () => {
    always((_, event, after) => {
      if (event.type !== 'failed' || FAILURES[event.failure.type].recovery !== 'reschedule') return;
      const { phase, failure } = event;
      const record = after.phases[phase];
      const isNew = (failure.details.claim ?? 0) === after.claim && failure.details.claim !== undefined;
      const isFirst = record.interruptions === 1;
      expect(isNew || isFirst || record.backingOff || after.attention[phase] !== undefined).toBe(true);
    });
  });

  test('a changed commR needs attention until it is accepted or recomputed', () => {
    always((_, __, after) => {
      if (hasChangedCommR(after) && !after.phases.P2.active)
        expect(after.attention.P2?.type).toBe('ChangedCommR');
    });
  });
});

// B3: P4 finds P3's file damaged while P5 copies.
test('after a step back from P4, P5 has not started, and a retry from P5 resets nothing', () => {
  const events: Event[] = [
    ...(['P1', 'P2'] as const).flatMap((phase): Event[] => [
      { type: 'scheduled', phase },
      { type: 'finished', phase, result: resultOf(phase, 0), now: 1 },
    ]),
    { type: 'seed', seed: 's' },
    { type: 'scheduled', phase: 'P3' },
    { type: 'finished', phase: 'P3', result: resultOf('P3', 0), now: 1 },
    { type: 'scheduled', phase: 'P4' },
    { type: 'scheduled', phase: 'P5' },
    {
      type: 'failed',
      phase: 'P4',
      failure: { type: 'StepBack', message: 'bad', details: { from: 'P3' } },
      now: 1,
    },
    { type: 'rewound', now: 1 },
    { type: 'scheduled', phase: 'P3' },
  ];
  const state = events.reduce(reduce, initialState(seal));
  expect(phaseState(state, 'P5')).toBe('waiting');
  expect(running(state)).toEqual(['P3']);
  expect(answerToRetry(state, { from: 'P5' })).toBe('P5 has not started yet');
  expect(reduce(state, { type: 'retry', from: 'P5' }).pendingStepBacks).toEqual([]);
  expect(refusalOfRetry(state, {})).toMatchObject({ type: 'NothingToRetry' });
});
