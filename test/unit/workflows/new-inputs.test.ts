/** What a new seed, a new ticket, and the word that the proof has landed change. */
import { describe, expect, test } from 'vitest';
import { initialState, type SectorState } from '../../../src/workflows/core/state.js';
import {
  after,
  begins,
  done,
  ends,
  fails,
  goOn,
  kept,
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

const otherSeed = { type: 'seed', seed: OTHER_SEED } as const;

describe('a seed', () => {
  test('that is the first one takes nothing back', () => {
    const state = after(done('P1', 'P2'), seed);
    expect(state.seal).toEqual({ ...SEAL, seed: SEED });
    expect(state.pendingStepBacks).toEqual([]);
  });

  test('that is another one takes back what was made with the one before, which was not wrong', () => {
    const asked = after(PROVED, otherSeed);
    expect(asked.pendingStepBacks).toMatchObject([{ to: 'P3', reason: 'new seed' }]);
    const state = goOn(asked, rewound);
    expect(kept(state)).toEqual(['P1', 'P2', 'P5']);
    expect(state.invalidated).toEqual([]);
    expect(state.seal.seed).toBe(OTHER_SEED);
  });

  test('that is another one leaves alone what runs without a seed', () => {
    expect(after(seed, begins('P1'), otherSeed)).toMatchObject({
      seal: { seed: OTHER_SEED },
      pendingStepBacks: [],
    });
  });

  test('that is known takes nothing back, not even that its proof has landed', () => {
    expect(after(PROVED, landed, seed)).toMatchObject({ landed: true, pendingStepBacks: [] });
  });
});

describe('a new ticket', () => {
  const asked = (): SectorState => {
    const state = initialState({ ...SEAL, ticketEpoch: 4_000_000 });
    return goOn(state, PROVED, landed, retry({ ticket: TICKET }));
  };

  test('begins the sector anew: no seed is right for it, and no commR was shown', () => {
    expect(asked().pendingStepBacks).toMatchObject([{ to: 'P1', reason: 'new ticket' }]);
    expect(asked().landed).toBe(false);
    const state = goOn(asked(), rewound);
    expect(kept(state)).toEqual([]);
    expect(state.invalidated).toEqual([]);
    expect(state.seal).toEqual({ ...SEAL, ticket: TICKET });
    expect(goOn(state, done('P1'), begins('P2'), ends('P2', { commR: 'another' })).attention).toEqual({});
  });

  test('may get its seed while the phases of the old one end: that is no step back more', () => {
    expect(goOn(asked(), seed).pendingStepBacks).toHaveLength(1);
  });

  test('has nothing to take back where nothing has begun', () => {
    expect(after(retry({ ticket: TICKET }))).toMatchObject({
      seal: { ticket: TICKET },
      pendingStepBacks: [],
    });
  });

  test('that is the old one is none', () => {
    const state = after(seed, fails('P1', 'BadInput'), retry({ ticket: SEAL.ticket }));
    expect(state).toMatchObject({ seal: { seed: SEED }, attention: {}, pendingStepBacks: [] });
  });
});

describe('that the proof has landed', () => {
  test('is forgotten with the proof, and with its seed', () => {
    expect(after(PROVED, landed, retry({ from: 'P4' }), rewound).landed).toBe(false);
    expect(after(PROVED, landed, otherSeed).landed).toBe(false);
  });

  test('still counts where the copy alone is made again', () => {
    const state = after(PROVED, landed, fails('P6', 'StepBack', { from: 'P5' }), rewound);
    expect(state.landed).toBe(true);
  });
});
