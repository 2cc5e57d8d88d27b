/** A ticket that is too old when P1 begins: drawn anew, or a person's to replace. */
import { describe, expect, test } from 'vitest';
import { FAILURES } from '../../../src/failures.js';
import { initialState, type SectorState } from '../../../src/workflows/core/state.js';
import { answerToRetry, refusalOfRetry } from '../../../src/workflows/core/answers.js';
import type { Event } from '../../../src/workflows/core/reduce.js';
import { attributesOf, detailsOf, sealState, statusOf } from '../../../src/workflows/core/views.js';
import {
  begins,
  done,
  ends,
  fails,
  goOn,
  kept,
  landed,
  NOW,
  retry,
  rewound,
  seed,
  SEAL,
  TICKET,
  type Story,
} from '../../helpers/story.js';

const HOUR = 3_600_000;
/** Ends so many hours from now. */
const lasting = (hours: number) => ({
  from: new Date(NOW + (hours - 31.5) * HOUR).toISOString(),
  until: new Date(NOW + hours * HOUR).toISOString(),
});
const { ticket: _given, ...WITHOUT } = SEAL;
const draw = (hours: number, epoch = 100) =>
  ({ type: 'ticket', ticket: TICKET, epoch, life: lasting(hours) }) as const;
const followed = (): SectorState => initialState({ ...WITHOUT, chain: true });
const stale = fails('P1', 'TicketStale', { host: '10.0.0.1', needsMs: 6 * HOUR }, 'ends in 5 h; takes 6 h');

describe('a drawn ticket', () => {
  const refused = (): SectorState => goOn(followed(), draw(5), stale);

  test('is drawn anew, and nobody is asked', () => {
    expect(refused().pendingStepBacks).toHaveLength(1);
    const state = goOn(refused(), rewound);
    expect(sealState(state)).toBe('waiting-for-ticket');
    expect(state).toMatchObject({ attention: {}, claim: 2, draws: 1, stepsBack: 0 });
    expect(state.seal).toEqual({ ...WITHOUT, chain: true });
    expect(statusOf(state).phases.P1.failure).toBe('TicketStale: ends in 5 h; takes 6 h');
  });

  test('as often as needed, and each draw is told', () => {
    const again = goOn(refused(), rewound, draw(24, 200), stale.slice(0, 1));
    expect(statusOf(again)).toMatchObject({ draws: 2, ticketEpoch: 200, ticketLife: lasting(24) });
    expect(kept(goOn(refused(), rewound, draw(24), done('P1')))).toEqual(['P1']);
  });

  test('of which none lasts long enough needs a person: drawing for ever makes no sector', () => {
    const hopeless = fails('P1', 'TicketStale', { needsMs: 30 * HOUR, noTicketLasts: true }, 'takes 30 h');
    const state = goOn(followed(), draw(24), hopeless);
    expect(state.attention.P1).toMatchObject({ type: 'TicketStale', message: 'takes 30 h' });
    expect(state.attention.P1?.hint).toMatch(/^let fewer P1 run at once.*; then sealflow retry t01000\/7$/);
    const back = goOn(state, retry());
    expect(back).toMatchObject({ attention: {}, pendingStepBacks: [], seal: { ticket: TICKET } });
  });
});

test('a pre-commit that has not come in time is for a person to look at, drawn ticket or not', () => {
  const state = goOn(followed(), draw(24), done('P1', 'P2'), fails('P3', 'TicketStale'));
  expect(state.attention.P3).toMatchObject({ type: 'TicketStale', hint: FAILURES.TicketStale.hint });
  expect(kept(state)).toEqual(['P1', 'P2']);
  expect(kept(goOn(state, retry({ drawTicket: true }), rewound))).toEqual([]);
});

describe('a new draw that a person asks for', () => {
  test('takes P1 and P2 back, also when both are done, and only where the chain is followed', () => {
    const done2 = goOn(followed(), draw(5), done('P1', 'P2'), seed);
    expect(refusalOfRetry(done2, { drawTicket: true })).toBeUndefined();
    expect(answerToRetry(done2, { drawTicket: true })).toBe('back to P1 with a ticket that is drawn anew');
    const state = goOn(done2, retry({ drawTicket: true }), rewound);
    expect(kept(state)).toEqual([]);
    expect(state.seal).toEqual({ ...WITHOUT, chain: true });
    expect(sealState(state)).toBe('waiting-for-ticket');
    expect(refusalOfRetry(initialState(SEAL), { drawTicket: true })?.type).toBe('NoChain');
  });
});

describe('the deadline', () => {
  const seal = { ...SEAL, ticketLife: lasting(24) };
  const proofUntil = new Date(NOW + 720 * HOUR).toISOString();
  const sown = { ...seed, preCommitEpoch: 7, proofUntil } as Event;
  const shown = (...story: Story) => {
    const state = goOn(initialState(seal), ...story);
    return [statusOf(state).deadline, attributesOf(state).SealDeadline];
  };

  test('is the ticket’s end, then the thirty days for the proof, then none', () => {
    const ticket = { what: 'ticket', at: seal.ticketLife.until };
    expect(shown()).toEqual([ticket, ticket.at]);
    expect(shown(done('P1', 'P2'))).toEqual([ticket, ticket.at]);
    const page = (...story: Story) => detailsOf(goOn(initialState(seal), ...story));
    expect(page()).toContain(`\nticket lasts until ${ticket.at}`);
    expect(page(done('P1', 'P2'), sown)).toContain(`\nproof must be on chain by ${proofUntil}  \n`);
    expect(shown(done('P1', 'P2'), sown)).toEqual([{ what: 'proof', at: proofUntil }, proofUntil]);
    expect(shown(done('P1', 'P2'), sown, done('P3', 'P4', 'P5'), landed)).toEqual([undefined, null]);
  });

  test('is not known of a seed that a person gives, nor of a ticket without an epoch', () => {
    expect(shown(done('P1', 'P2'), seed)).toEqual([undefined, null]);
    expect(attributesOf(initialState(SEAL)).SealDeadline).toBeNull();
    const other = { type: 'seed', seed: 'ee'.repeat(32) } as const;
    expect(shown(done('P1', 'P2'), sown, other)).toEqual([undefined, null]);
  });
});

describe('a sector that will miss its ticket', () => {
  const late = { type: 'late', phase: 'P1', why: 'layer 3' } as const;
  const seen = (...story: Story) => {
    const state = goOn(followed(), draw(24), ...story);
    return [statusOf(state).late, attributesOf(state).SealLate];
  };

  test('says so in status, lists and on its page, until P2 is done', () => {
    expect(seen(begins('P1'), late)).toEqual(['layer 3', 'ticket']);
    expect(detailsOf(goOn(followed(), draw(24), begins('P1'), late))).toContain(
      '> will miss its ticket: layer 3',
    );
    expect(seen(begins('P1'), late, ends('P1'), begins('P2'))).toEqual(['layer 3', 'ticket']);
    expect(seen(begins('P1'), late, ends('P1'), done('P2'))).toEqual([undefined, null]);
  });

  test('or a host says otherwise, or it gets another ticket', () => {
    expect(seen(begins('P1'), late, { type: 'late', phase: 'P1' })).toEqual([undefined, null]);
    expect(seen(begins('P1'), late, retry({ drawTicket: true }))).toEqual([undefined, null]);
  });

  test('is not told by a phase that has ended', () => {
    expect(seen(late)).toEqual([undefined, null]);
  });
});

describe('a ticket that was given', () => {
  const given = (hours: number): SectorState =>
    initialState({ ...SEAL, ticketEpoch: 100, ticketLife: lasting(hours) });

  test('needs a person, with the sum and what to type', () => {
    const { attention, seal } = goOn(given(5), stale);
    expect(attention.P1).toMatchObject({
      message: 'ends in 5 h; takes 6 h',
      hint: 'draw a newer one: retry --ticket HEX@EPOCH, or --draw-ticket if the sector follows the chain',
    });
    expect(seal.ticket).toBe(SEAL.ticket);
  });

  test('goes on with another one, which has its own age', () => {
    const life = lasting(24);
    const state = goOn(
      given(5),
      stale,
      retry({ ticket: TICKET, ticketEpoch: 200, ticketLife: life }),
      rewound,
    );
    expect(state.seal).toEqual({ ...SEAL, ticket: TICKET, ticketEpoch: 200, ticketLife: life });
    expect(state.attention).toEqual({});
    const unknown = goOn(given(5), stale, retry({ ticket: TICKET }), rewound);
    expect(unknown.seal).toEqual({ ...SEAL, ticket: TICKET });
  });

  test('in place of a drawn one is a person’s from then on', () => {
    const state = goOn(followed(), draw(5), begins('P1'), retry({ ticket: SEAL.ticket as string }), rewound);
    expect(goOn(state, stale).attention.P1).toMatchObject({ type: 'TicketStale' });
  });

  test('of which the host has said too little by a clock that is ahead by seconds is drawn anew all the same', () => {
    expect(goOn(followed(), draw(6 + 0.9 / 60), stale).pendingStepBacks).toHaveLength(1);
    expect(goOn(followed(), draw(6 + 1.1 / 60), stale).attention.P1?.message).toContain(
      'the clock of 10.0.0.1 is wrong',
    );
  });

  test('that lasts long enough by the server’s clock was refused by a wrong one: who asks for another would be refused again', () => {
    for (const before of [given(20), goOn(followed(), draw(20))]) {
      const { attention, pendingStepBacks } = goOn(before, stale);
      expect(attention.P1?.message).toBe(
        "ends in 5 h; takes 6 h; but by the server's clock it still lasts 20.0 h: the clock of 10.0.0.1 is wrong",
      );
      expect(attention.P1?.hint).toContain('sealflow doctor on 10.0.0.1');
      expect(pendingStepBacks).toEqual([]);
    }
  });
});
