/** What people may ask of a sector, when it refuses, and what it answers. */
import { describe, expect, test } from 'vitest';
import {
  answerToLanded,
  answerToPriority,
  answerToRetry,
  answerToSeed,
  reasonOf,
  refusalOfAbort,
  refusalOfLanded,
  refusalOfPriority,
  refusalOfRetry,
  refusalOfSeed,
} from '../../../src/workflows/core/answers.js';
import type { Event } from '../../../src/workflows/core/reduce.js';
import {
  after,
  begins,
  cleaned,
  done,
  ends,
  fails,
  goOn,
  landed,
  OTHER_SEED,
  PROVED,
  retry,
  rewound,
  seed,
  SEAL,
  SEED,
  TICKET,
} from '../../helpers/story.js';

const TOO_LATE = { type: 'TooLate', message: 'P6 has begun' };
/** What P6 deletes cannot be asked back. */
const CLEANING: [string, Event[]][] = [
  ['runs', [...PROVED, begins('P6')]],
  ['waits before its next try', [...PROVED, ...fails('P6', 'LostWorker'), ...fails('P6', 'LostWorker')]],
  [
    'stands still, but has renamed the scratch away',
    [...PROVED, ...fails('P6', 'NotOurs', { stored: true })],
  ],
];
const SEALED: Event[] = [...PROVED, begins('P6'), cleaned];
/** P6 has found something before it deleted anything. */
const REFUSED_BY_P6: Event[] = [...PROVED, ...fails('P6', 'CopyDiffers')];
const ABORTING: Event[] = [...done('P1'), { type: 'ending', state: 'aborting' }];
const CHANGED_COMM_R: Event[] = [
  ...done('P1', 'P2'),
  seed,
  ...fails('P3', 'StepBack', { from: 'P2' }),
  rewound,
  begins('P2'),
  ends('P2', { commR: 'another commR' }),
];

describe('a seed', () => {
  test('is stored where none is known', () => {
    expect(refusalOfSeed(after(), { seed: SEED })).toBeUndefined();
    expect(answerToSeed(after(), { seed: SEED })).toBe('stored');
  });

  test.each([...CLEANING, ['is done', SEALED]])('may come again, also when P6 %s', (_, story) => {
    const state = after(story);
    expect(refusalOfSeed(state, { seed: SEED })).toBeUndefined();
    expect(refusalOfSeed(state, { seed: SEED, replace: true })).toBeUndefined();
    expect(answerToSeed(state, { seed: SEED })).toBe('already set');
  });

  test('does not take the place of another one unless a person says so', () => {
    expect(refusalOfSeed(after(seed), { seed: OTHER_SEED })).toMatchObject({
      type: 'SeedKnown',
      message: expect.stringContaining('replace') as string,
    });
  });

  test.each([
    ['P1 runs', [seed, begins('P1')]],
    ['P6 has refused something', REFUSED_BY_P6],
  ])('may take the place of another one while %s', (_, story) => {
    const state = after(story);
    const given = { seed: OTHER_SEED, replace: true };
    expect(refusalOfSeed(state, given)).toBeUndefined();
    expect(answerToSeed(state, given)).toBe('replaced');
  });

  test.each([...CLEANING, ['is done', SEALED]])('is not replaced any more when P6 %s', (_, story) => {
    const state = after(story);
    expect(refusalOfSeed(state, { seed: OTHER_SEED, replace: true })).toEqual(TOO_LATE);
  });
});

describe('the word that the proof has landed', () => {
  test('is too early without a proof', () => {
    const state = after(done('P1', 'P2'), seed, done('P3', 'P5'), begins('P4'));
    expect(refusalOfLanded(state)).toEqual({ type: 'TooEarly', message: 'there is no proof yet' });
  });

  test('is noted as soon as there is one', () => {
    const state = after(done('P1', 'P2'), seed, done('P3', 'P4'), begins('P5'));
    expect(refusalOfLanded(state)).toBeUndefined();
    expect(answerToLanded(state)).toBe('recorded');
  });

  test('lets P6 go on that waits for it', () => {
    const state = after(PROVED, fails('P6', 'NotLanded'));
    expect(refusalOfLanded(state)).toBeUndefined();
    expect(answerToLanded(state)).toBe('P6 continues');
    expect(answerToLanded(goOn(state, landed))).toBe('recorded');
  });

  test('comes too late where the sector has ended', () => {
    expect(refusalOfLanded(after(SEALED))).toEqual({ type: 'TooLate', message: 'the sector is sealed' });
  });
});

describe('an abort', () => {
  test.each([
    ['new', []],
    ['waiting for the proof to land', [...PROVED, ...fails('P6', 'NotLanded')]],
    ['waiting for a person', fails('P1', 'BadInput')],
  ])('is taken from a sector that is %s', (_, story) => {
    const state = after(story);
    expect(refusalOfAbort(state)).toBeUndefined();
  });

  test.each([...CLEANING, ['needs attention', REFUSED_BY_P6]])('is too late when P6 %s', (_, story) => {
    const state = after(story);
    expect(refusalOfAbort(state)).toMatchObject({
      type: 'TooLate',
      message: expect.stringContaining('P6 has begun') as string,
    });
  });

  test('is too late for a sector that ends already', () => {
    expect(refusalOfAbort(after(ABORTING))).toEqual({ type: 'TooLate', message: 'the sector is aborting' });
  });

  test('has a reason, given or not', () => {
    expect(reasonOf({ why: 'wrong miner' })).toBe('wrong miner');
    for (const given of [undefined, {}]) expect(reasonOf(given)).toBe('by an operator');
  });
});

describe('a retry', () => {
  test('of a sector that waits for nothing is refused, with the same ticket as without one', () => {
    const state = after(begins('P1'));
    for (const given of [{}, { ticket: SEAL.ticket }])
      expect(refusalOfRetry(state, given)).toEqual({
        type: 'NothingToRetry',
        message: 'nothing is waiting for a retry',
      });
  });

  test.each([
    ['a person', fails('P1', 'BadInput')],
    ['its next try', [...fails('P1', 'LostWorker'), ...fails('P1', 'LostWorker')]],
  ])('of a phase that waits for %s lets it go on', (_, story) => {
    const state = after(story);
    expect(refusalOfRetry(state, {})).toBeUndefined();
    expect(answerToRetry(state, { ticket: SEAL.ticket })).toBe('going on');
  });

  test('from a phase, or with a new ticket, need not be waited for', () => {
    const state = after(done('P1'), begins('P2'));
    for (const given of [{ from: 'P1' }, { ticket: TICKET }] as const)
      expect(refusalOfRetry(state, given)).toBeUndefined();
    expect(answerToRetry(state, { from: 'P1' })).toBe('back to P1');
    expect(answerToRetry(state, { ticket: TICKET, from: 'P2' })).toBe('back to P1 with a new ticket');
    expect(answerToRetry(state, { from: 'P3' })).toBe('P3 has not started yet');
  });

  test('from P4 goes back where only the copy is there', () => {
    const copied = after(
      done('P1', 'P2'),
      seed,
      done('P3', 'P5'),
      fails('P4', 'StepBack', { from: 'P3' }),
      rewound,
    );
    expect(answerToRetry(copied, { from: 'P4' })).toBe('back to P4');
  });

  test.each(CLEANING)('goes back no more when P6 %s', (_, story) => {
    const state = after(story);
    for (const given of [{ from: 'P2' }, { ticket: TICKET }] as const)
      expect(refusalOfRetry(state, given)).toEqual(TOO_LATE);
  });

  test('goes back from a P6 that has refused something', () => {
    expect(refusalOfRetry(after(REFUSED_BY_P6), { from: 'P5' })).toBeUndefined();
  });

  test('lets a P6 go on that stands still, and no other one', () => {
    const [[, runs], ...standStill] = CLEANING as [[string, Event[]], ...typeof CLEANING];
    expect(refusalOfRetry(after(runs), {})).toEqual(TOO_LATE);
    for (const [, story] of standStill) expect(refusalOfRetry(after(story), {})).toBeUndefined();
  });

  test('of a sector that ends is too late', () => {
    expect(refusalOfRetry(after(ABORTING), { from: 'P1' })).toEqual({
      type: 'TooLate',
      message: 'the sector is aborting',
    });
  });
});

describe('a commR that has changed', () => {
  test('is a question that a retry must answer', () => {
    expect(refusalOfRetry(after(CHANGED_COMM_R), {})).toMatchObject({
      type: 'CommRChanged',
      message: expect.stringContaining('accept') as string,
    });
    expect(refusalOfRetry(after(CHANGED_COMM_R), { acceptCommR: true })).toBeUndefined();
    expect(refusalOfRetry(after(CHANGED_COMM_R), { from: 'P2' })).toBeUndefined();
    expect(refusalOfRetry(after(CHANGED_COMM_R), { ticket: TICKET })).toBeUndefined();
  });

  test('does not keep another phase from going on', () => {
    const state = after(CHANGED_COMM_R, fails('P5', 'BadInput'));
    expect(refusalOfRetry(state, {})).toBeUndefined();
    expect(refusalOfRetry(goOn(state, retry()), {})).toMatchObject({ type: 'CommRChanged' });
  });

  test('is not accepted where there is none', () => {
    const state = after(done('P1', 'P2'), fails('P3', 'BadInput'));
    expect(refusalOfRetry(state, { acceptCommR: true })).toEqual({
      type: 'NothingToAccept',
      message: 'no changed commR is waiting to be accepted',
    });
    expect(refusalOfRetry(state, { acceptCommR: false })).toBeUndefined();
  });
});

describe('a priority', () => {
  const high: Event = { type: 'priority', priority: true };

  test('is answered by what it is, and whether that is new', () => {
    expect(answerToPriority(after(), { priority: true })).toBe('is high now');
    expect(answerToPriority(after(), { priority: false })).toBe('is normal already');
    expect(answerToPriority(after(high), { priority: true })).toBe('is high already');
    expect(answerToPriority(after(high), { priority: false })).toBe('is normal now');
  });

  test('holds for all that is scheduled from then on', () => {
    expect(after(high).seal.priority).toBe(true);
    expect(after(high, { type: 'priority', priority: false }).seal.priority).toBe(false);
  });

  test('is refused once the sector has ended', () => {
    expect(refusalOfPriority(after(PROVED))).toBeUndefined();
    expect(refusalOfPriority(after(PROVED, begins('P6'), cleaned))).toEqual({
      type: 'TooLate',
      message: 'the sector is sealed',
    });
  });
});
