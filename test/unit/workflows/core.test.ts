/** The pure core of a sector's workflow: whatever happens, in whatever order, these hold. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAILURES, type FailureType } from '../../../src/failures.js';
import { ENGINE_PHASE_IDS, PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import {
  answerToRetry,
  refusalOfAbort,
  refusalOfLanded,
  refusalOfRetry,
  refusalOfSeed,
} from '../../../src/workflows/core/answers.js';
import { reduce, type Event } from '../../../src/workflows/core/reduce.js';
import {
  activePhases,
  hasChangedCommR,
  initialState,
  isDone,
  mustEndPass,
  mustWaitForLanded,
  phaseState,
  takenBack,
  waitsForRetry,
  type SectorState,
} from '../../../src/workflows/core/state.js';
import { sealState } from '../../../src/workflows/core/views.js';
import { begins, cleaned, ends, goOn, landed, rewound, SEAL, seed } from '../../helpers/story.js';

const SEED = Number(process.env['SEALFLOW_SEED'] ?? Date.now() % 2 ** 31);
console.log(`fast-check seed ${SEED}`);
/** Mutation tests ask for fewer, and need no smallest story that shows the fault. */
const FEW = process.env['SEALFLOW_STORIES'];
const RUNS = { seed: SEED, numRuns: Number(FEW ?? 200), endOnFailure: FEW !== undefined };

/** What activities report: mostly what goes on by itself, else a story is over soon. */
const types = (Object.keys(FAILURES) as FailureType[]).filter((name) => name !== 'ChangedCommR');
const type = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<FailureType[]>('StepBack', 'StepBack', 'LostWorker', 'Overtaken', 'TimedOut'),
  },
  { weight: 1, arbitrary: fc.constantFrom(...types) },
);
const kind = fc.oneof(
  { weight: 40, arbitrary: fc.constant('go on' as const) },
  { weight: 20, arbitrary: fc.constantFrom('fail', 'retry', 'seed', 'landed', 'tell') },
  { weight: 1, arbitrary: fc.constant('abort' as const) },
);

/** What the world does next, where it can. */
const choice = fc.record({
  kind,
  /** Which of the activities, where there are two. */
  which: fc.nat(1),
  type,
  phase: fc.option(fc.constantFrom(...ENGINE_PHASE_IDS), { nil: undefined }),
  tag: fc.nat(3),
  flag: fc.boolean(),
});
type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

const STAGES: PhaseId[][] = [['P1'], ['P2'], ['P3'], ['P4', 'P5'], ['P6']];

/** The phases that the story of `seal-sector.ts` begins in this state. */
function mayBegin(state: SectorState): PhaseId[] {
  if (mustEndPass(state) || state.ending) return [];
  const stage = STAGES.find((phases) => phases.some((phase) => !isDone(state, phase))) ?? [];
  const isHeld =
    (state.results.P2 && (hasChangedCommR(state) || state.seal.seed === undefined)) ||
    (stage.includes('P6') && mustWaitForLanded(state));
  return isHeld ? [] : stage.filter((phase) => ['waiting', 'backoff'].includes(phaseState(state, phase)));
}

function eventOf(state: SectorState, c: Choice): Event | undefined {
  if (state.ending) return undefined;
  const underWay = PHASE_IDS.filter((phase) => state.phases[phase].active);
  const next = [...underWay, ...mayBegin(state)];
  const phase = next[c.which % next.length];
  const isActive = phase !== undefined && underWay.includes(phase);
  switch (c.kind) {
    case 'go on':
      if (state.abortReason !== undefined) return { type: 'ending', state: 'aborting' };
      if (mustEndPass(state)) return rewound;
      if (!phase) return undefined;
      if (!isActive) return begins(phase);
      return phase === 'P6' ? cleaned : ends(phase, phase === 'P2' ? { commR: `commR ${c.tag % 2}` } : {});
    case 'fail': {
      if (!isActive) return undefined;
      const details = { from: c.phase, recorded: c.tag, claim: c.flag ? state.claim + 1 : undefined };
      return { type: 'failed', phase, failure: { type: c.type, message: 'x', details }, now: 1 };
    }
    // A host tells where it works, or that it no longer does; perhaps late.
    case 'tell':
      return phase && { type: 'working', phase, ...(c.flag && { host: String(c.tag) }) };
    case 'seed': {
      const given = { seed: String(c.tag), replace: c.flag };
      return refusalOfSeed(state, given) ? undefined : { type: 'seed', ...given };
    }
    case 'landed':
      return refusalOfLanded(state) ? undefined : landed;
    case 'retry': {
      const ticket = c.tag === 3 ? String(c.which) : undefined;
      const given = { from: c.phase, ticket, ...(c.flag && { acceptCommR: true }) };
      return refusalOfRetry(state, given) ? undefined : { type: 'retry', ...given };
    }
    case 'abort':
      return refusalOfAbort(state) ? undefined : { type: 'abort', why: 'x' };
  }
}

/** Follows the choices, and asks of each step whether the property holds. */
function walk(
  { choices, cleanAfter }: { choices: Choice[]; cleanAfter: 'proof' | 'landed' },
  check: (before: SectorState, event: Event, after: SectorState) => void,
): void {
  let state = initialState({ ...SEAL, cleanAfter });
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

const story = fc.record({
  choices: fc.array(choice, { minLength: 20, maxLength: 80, size: 'max' }),
  cleanAfter: fc.constantFrom('proof', 'landed'),
});

const always = (check: Parameters<typeof walk>[1]): void =>
  fc.assert(
    fc.property(story, (one) => walk(one, check)),
    RUNS,
  );

const running = (state: SectorState): PhaseId[] =>
  PHASE_IDS.filter((phase) => ['queued', 'working'].includes(phaseState(state, phase)));

const hasWay = (state: SectorState): boolean =>
  activePhases(state).length > 0 || mustEndPass(state) || mayBegin(state).length > 0;

describe('in whatever order things happen', () => {
  // Else what is asked of the stories below would prove nothing.
  test('stories get everywhere', () => {
    const seen = new Set<string>();
    always((_, event, after) => {
      seen.add(event.type).add(sealState(after));
      if (hasChangedCommR(after)) seen.add('another commR');
    });
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'rewound',
        'retry',
        'another commR',
        'needs-attention',
        'waiting-for-seed',
        'waiting-for-landed',
        'aborting',
        'sealed',
      ]),
    );
  });

  test('no phase is running without an activity', () => {
    always((before, event, after) => {
      const expected = new Set(running(before));
      if (event.type === 'scheduled') expected.add(event.phase);
      if (event.type === 'finished' || event.type === 'failed') expected.delete(event.phase);
      if (event.type === 'cleaned') expected.delete('P6');
      if (event.type === 'rewound' || event.type === 'ending') expected.clear();
      expect(new Set(running(after))).toEqual(expected);
    });
  });

  test('"going on" is said only when something waits', () => {
    always((before, event) => {
      if (event.type !== 'retry' || answerToRetry(before, event) !== 'going on') return;
      expect(waitsForRetry(before)).toBe(true);
    });
  });

  test('a step back takes back just what depends on it, and makes the next claim', () => {
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

  test('whatever may repeat has a delay', () => {
    always((_, event, after) => {
      if (event.type !== 'failed' || FAILURES[event.failure.type].recovery !== 'reschedule') return;
      const { phase, failure } = event;
      const record = after.phases[phase];
      const isNew = (failure.details.claim ?? 0) === after.claim && failure.details.claim !== undefined;
      const isFirst = record.interruptions === 1;
      expect(isNew || isFirst || record.backingOff || after.attention[phase] !== undefined).toBe(true);
    });
  });

  test('a commR that has changed stays a question until it is accepted or taken back', () => {
    always((_, __, after) => {
      if (hasChangedCommR(after) && !after.phases.P2.active && !after.ending)
        expect(after.attention.P2?.type).toBe('ChangedCommR');
    });
  });

  test('a sector works where an activity is under way, and nowhere else', () => {
    always((_, __, after) => {
      for (const phase of PHASE_IDS) {
        const { active, workingOn } = after.phases[phase];
        if (workingOn !== undefined) expect(active).toBe(true);
      }
    });
  });

  test('a sector that says that it goes on has a way to go on, and with what it waits for it has one', () => {
    always((_, __, after) => {
      const state = sealState(after);
      if (['queued', 'working', 'backoff'].includes(state)) expect(hasWay(after)).toBe(true);
      if (state === 'waiting-for-seed') expect(hasWay(goOn(after, seed))).toBe(true);
      if (state === 'waiting-for-landed') expect(hasWay(goOn(after, landed))).toBe(true);
    });
  });

  test('what a person must look at is answered by a retry', () => {
    always((_, __, after) => {
      if (sealState(after) !== 'needs-attention' || mustEndPass(after)) return;
      const acceptCommR = hasChangedCommR(after);
      expect(refusalOfRetry(after, { acceptCommR })).toBeUndefined();
      const state = goOn(after, { type: 'retry', acceptCommR });
      expect(sealState(state)).not.toBe('needs-attention');
    });
  });
});
