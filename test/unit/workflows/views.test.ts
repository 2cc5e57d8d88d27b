/** What people see of a sector: its status, what lists show, its page in the Web UI. */
import { describe, expect, test } from 'vitest';
import { FAILURES } from '../../../src/failures.js';
import type { Event } from '../../../src/workflows/core/reduce.js';
import { initialState, type SectorState } from '../../../src/workflows/core/state.js';
import {
  attributesOf,
  detailsOf,
  isBetweenPhases,
  sealState,
  statusOf,
} from '../../../src/workflows/core/views.js';
import {
  after,
  begins,
  cleaned,
  CLEANED,
  done,
  fails,
  goOn,
  hostOf,
  landed,
  NOW,
  PROVED,
  retry,
  rewound,
  seed,
  SEAL,
  SEED,
  rests,
  TICKET,
  works,
  type Story,
} from '../../helpers/story.js';

const lost = fails('P1', 'LostWorker');
const AT_SEED = done('P1', 'P2');
const SEALED: Event[] = [...PROVED, begins('P6'), cleaned];
/** A sector that was started with `--clean-after landed`. */
const keptUntilLanded = (...story: Story): SectorState =>
  goOn(initialState({ ...SEAL, cleanAfter: 'landed' }), ...story);

describe('a sector', () => {
  test.each<[string, Story]>([
    ['is new', []],
    ['runs P1', [begins('P1')]],
    ['is between P1 and P2', done('P1')],
    ['has its seed before P2 is done', [seed, done('P1', 'P2')]],
    ['has a proof and no copy', [done('P1', 'P2'), seed, done('P3', 'P4'), begins('P5')]],
    ['is between P5 and P6', PROVED],
    ['runs P6', [PROVED, begins('P6')]],
    ['has a P3 to stop for a new ticket', [AT_SEED, seed, begins('P3'), retry({ ticket: TICKET })]],
    ['has a P1 that rests until its next try', [begins('P1'), works('P1'), rests('P1')]],
    ['is told late that P1 works', [done('P1'), begins('P2'), works('P1')]],
    ['has lost its worker', [begins('P1'), works('P1'), lost, begins('P1')]],
  ])('that %s is queued', (_, story) => {
    expect(sealState(after(...story))).toBe('queued');
  });

  test.each<[string, Story]>([
    ['P1', [begins('P1'), works('P1')]],
    ['P5, while P4 is queued', [done('P1', 'P2'), seed, done('P3'), begins('P4'), begins('P5'), works('P5')]],
    ['P6', [PROVED, begins('P6'), works('P6')]],
  ])('with an engine at work on %s is working', (_, story) => {
    expect(sealState(after(...story))).toBe('working');
  });

  test('that is lost by its worker for the second time backs off', () => {
    expect(sealState(after(lost, lost))).toBe('backoff');
  });

  test('waits for its seed when P2 is done, and not before', () => {
    expect(sealState(after(done('P1')))).toBe('queued');
    expect(sealState(after(AT_SEED))).toBe('waiting-for-seed');
    expect(sealState(after(AT_SEED, seed))).toBe('queued');
  });

  test('waits for its proof to land where it was started so, or P6 asks for it', () => {
    const seedKnown = initialState({ ...SEAL, seed: SEED, cleanAfter: 'landed' });
    for (const state of [
      keptUntilLanded(PROVED),
      goOn(seedKnown, done('P1', 'P2', 'P3', 'P4', 'P5')),
      after(PROVED, fails('P6', 'NotLanded')),
    ]) {
      expect(sealState(state)).toBe('waiting-for-landed');
      expect(sealState(goOn(state, landed))).toBe('queued');
    }
  });

  test.each([
    ['copy', 'P4'],
    ['proof', 'P5'],
  ] as const)('does not wait for that while it has no %s', (_, only) => {
    expect(sealState(keptUntilLanded(AT_SEED, seed, done('P3', only)))).toBe('queued');
  });

  test('needs attention whatever else it waits for', () => {
    expect(sealState(after(AT_SEED, fails('P5', 'BadInput')))).toBe('needs-attention');
  });

  test.each(['stopping', 'stopped', 'aborting', 'aborted'] as const)(
    'that is %s is nothing else',
    (state) => {
      expect(sealState(after(fails('P1', 'BadInput'), { type: 'ending', state }))).toBe(state);
    },
  );

  test('whose workflow fails has failed, though a phase needs attention', () => {
    const state = after(fails('P4', 'BadInput'), fails('P5', 'AlreadySealed'));
    expect(sealState(state)).toBe('failed');
  });
});

const waiting = { state: 'waiting', tries: 0 };
const doneAt = (phase: Parameters<typeof hostOf>[0]) => ({
  state: 'done',
  tries: 1,
  host: hostOf(phase),
  seconds: 1.5,
});

describe('the status', () => {
  test('of a new sector names what it was started with', () => {
    expect(statusOf(after())).toEqual({
      v: 1,
      sector: 't01000/7',
      size: '2KiB',
      group: 1,
      state: 'queued',
      phases: { P1: waiting, P2: waiting, P3: waiting, P4: waiting, P5: waiting, P6: waiting },
      stepsBack: 0,
      attention: [],
      ticket: SEAL.ticket,
    });
  });

  test('of a sealed sector has all that was made, and where it lies', () => {
    expect(statusOf(after(SEALED))).toMatchObject({
      state: 'sealed',
      phases: {
        P1: doneAt('P1'),
        P2: doneAt('P2'),
        P3: doneAt('P3'),
        P4: doneAt('P4'),
        P5: doneAt('P5'),
        P6: doneAt('P6'),
      },
      seed: SEED,
      commD: 'commD',
      commR: 'commR',
      proof: 'proof',
      storage: CLEANED.storage,
      bytesFreed: 512,
    });
  });

  test('names the last failure of a phase until that is done', () => {
    const state = after(fails('P1', 'Draining', {}, 'shutting down'), begins('P1'));
    expect(statusOf(state).phases.P1).toEqual({
      state: 'queued',
      tries: 2,
      failure: 'Draining: shutting down',
    });
    expect(statusOf(goOn(after(fails('P1', 'Draining')), done('P1'))).phases.P1).toEqual({
      ...doneAt('P1'),
      tries: 2,
    });
  });

  test('has what a person must look at, by phase', () => {
    const state = after(fails('P5', 'BadInput', {}, 'no'), fails('P4', 'BadInput', {}, 'no'));
    const hint = `${FAILURES.BadInput.hint}; then sealflow retry t01000/7`;
    expect(statusOf(state).attention).toEqual([
      { phase: 'P4', type: 'BadInput', message: 'no', hint, since: NOW },
      { phase: 'P5', type: 'BadInput', message: 'no', hint, since: NOW },
    ]);
  });

  test('keeps the commR that was shown while P2 runs again', () => {
    const again = after(done('P1', 'P2'), fails('P3', 'StepBack', { from: 'P2' }), rewound, begins('P2'));
    expect(statusOf(again)).toMatchObject({ commR: 'commR', stepsBack: 1 });
    expect(statusOf(again).commD).toBeUndefined();
  });
});

describe('lists', () => {
  test('show a new sector without phase and host', () => {
    expect(attributesOf(after())).toEqual({
      SealMiner: 't01000',
      SealSector: 7,
      SealSize: '2KiB',
      SealGroup: '1',
      SealState: 'queued',
      SealPhase: null,
      SealHost: null,
      SealDeadline: null,
      SealLate: null,
    });
  });

  const both: Story = [done('P1', 'P2'), seed, done('P3'), begins('P4'), begins('P5')];
  test.each<[string, Story, string | null, string[] | null]>([
    ['all phases that are under way, no host before one works', both, 'P4+P5', null],
    ['both hosts', [...both, works('P5'), works('P4')], 'P4+P5', [hostOf('P4'), hostOf('P5')]],
    ['a host once', [...both, works('P5', 'one'), works('P4', 'one')], 'P4+P5', ['one']],
    ['the one that still works', [...both, works('P5'), works('P4'), rests('P5')], 'P4+P5', [hostOf('P4')]],
    ['P3 while the seed is missing, and no host', [begins('P1'), works('P1'), AT_SEED], 'P3', null],
    [
      'the phase that needs a person, and where the other works',
      [...both, works('P5'), fails('P4', 'BadInput')],
      'P4',
      [hostOf('P5')],
    ],
  ])('show %s', (_, story, SealPhase, SealHost) => {
    expect(attributesOf(after(...story))).toMatchObject({ SealPhase, SealHost });
  });

  test('show P6 while the proof has not landed', () => {
    expect(attributesOf(keptUntilLanded(PROVED))).toMatchObject({
      SealState: 'waiting-for-landed',
      SealPhase: 'P6',
      SealHost: null,
    });
  });

  test('show a sealed sector as done', () => {
    expect(attributesOf(after(SEALED))).toMatchObject({
      SealState: 'sealed',
      SealPhase: 'done',
      SealHost: null,
    });
  });

  test.each<[string, Story, boolean]>([
    ['P1 is done and P2 has not begun', done('P1'), true],
    ['P2 runs', [done('P1'), begins('P2')], false],
    ['a try has ended and the next one is delayed', [lost, lost], false],
    ['the seed is missing', AT_SEED, false],
    ['it is sealed', SEALED, false],
  ])('may wait for the next phase: %s', (_, story, isBetween) => {
    expect(isBetweenPhases(after(...story))).toBe(isBetween);
  });
});

describe('the page of a sector', () => {
  const lines = (state: SectorState): string[] => detailsOf(state).replaceAll('\u00a0', '').split('\n');
  const HEAD = ['| phase | | state | tries | host | seconds | last failure |', '|-|-|-|-|-|-|-|'];

  test('has a table of its phases, and commR as soon as it is known', () => {
    expect(lines(after(AT_SEED)).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      '**t01000/7** 2KiB, group 1: **waiting-for-seed**',
      '',
      '> waits for its seed: `sealflow seed t01000/7 HEX`',
      '',
      ...HEAD,
      '| P1 | layers and tree-d | done | 1 | 10.0.0.1 | 1.5 | |',
      '| P2 | replica, trees, commR | done | 1 | 10.0.0.2 | 1.5 | |',
      '| P3 | vanilla proofs | waiting | 0 | | | |',
      '| P4 | SNARK | waiting | 0 | | | |',
      '| P5 | copy to the storage node | waiting | 0 | | | |',
      '| P6 | receipt, then delete the scratch | waiting | 0 | | | |',
      '',
      `ticket \`${SEAL.ticket}\` `,
      'commD `7289a6` ',
      'commR `7289a6`',
    ]);
  });

  test('says above the table what a person must look at, and what can be done', () => {
    const page = lines(after(fails('P1', 'BadInput', {}, 'thread main:\n\n| no such job |\nleft: 1')));
    expect(page.slice(0, 6).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      '**t01000/7** 2KiB, group 1: **needs-attention**',
      '',
      '> **P1 BadInput**: thread main: / no such job / left: 1',
      `> ${FAILURES.BadInput.hint}; then sealflow retry t01000/7`,
      '',
      HEAD[0],
    ]);
    expect(page.find((line) => line.startsWith('| P1'))).toContain('BadInput: thread main: / no such job /');
    expect(page.at(-3)).toMatch(/^\| P6/);
    expect(page.at(-1)).toBe(`ticket \`${SEAL.ticket}\``);
  });

  test('keeps its columns apart', () => {
    expect(detailsOf(after())).toContain(
      '| P1\u00a0\u00a0 | layers and tree-d\u00a0\u00a0 | waiting\u00a0\u00a0 |',
    );
  });
});

test('a high priority is shown while it lasts', () => {
  const state = goOn(initialState(SEAL), { type: 'priority', priority: true });
  expect(statusOf(state)).toMatchObject({ priority: true });
  expect(detailsOf(state)).toMatch(/^\*\*\S+\*\* \S+, group \d+, high priority: /);
  const normal = goOn(state, { type: 'priority', priority: false });
  expect(statusOf(normal)).not.toHaveProperty('priority');
  expect(detailsOf(normal)).not.toContain('priority');
});
