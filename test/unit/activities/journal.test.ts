/** What a worker's log says of its phases. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Journal } from '../../../src/activities/journal.js';
import { SealError } from '../../../src/seal-error.js';

const work = { sector: 't01000/7', phase: 'P2' } as const;
let logged: string[];
let journal: Journal;
beforeEach(() => {
  logged = [];
  journal = new Journal({
    info: (line) => void logged.push(`INFO ${line}`),
    warn: (line) => void logged.push(`WARN ${line}`),
  });
});

describe('a phase', () => {
  test('begins and ends, each said once', () => {
    journal.begins(work, { at: '1/P2-1', pid: 4711 });
    journal.begins(work, { at: '1/P2-1', pid: 4711, isAdopted: true });
    journal.ends(work, { at: '1/P2-1', seconds: 12.34 });
    journal.ends(work, { at: '1/P2-1', seconds: 12.34 });
    expect(logged).toEqual([
      'INFO t01000/7 P2 begins: 1/P2-1, engine 4711',
      'INFO t01000/7 P2 done: 1/P2-1, engine 4711, 12.3 s',
    ]);
  });

  test('fails, with type and hint in one line', () => {
    journal.begins(work, { at: '1/P2-1', pid: 4711 });
    journal.fails(work, new SealError('Panic', 'what\nhappened', { at: '1/P2-1' }));
    expect(logged[1]).toMatch(
      /^WARN t01000\/7 P2 failed: 1\/P2-1, engine 4711, \d+\.\d s: Panic: what happened; look at the log of the attempt$/,
    );
  });

  test('is let go of by a worker that ends, and taken up by the next', () => {
    journal.begins(work, { at: '1/P2-1', pid: 4711, isAdopted: true });
    journal.fails(work, new SealError('Draining', '10.0.0.1 is shutting down', {}));
    expect(logged).toEqual([
      'INFO t01000/7 P2 goes on: 1/P2-1, engine 4711',
      expect.stringMatching(/^INFO t01000\/7 P2 let go: 1\/P2-1, engine 4711, .* s: Draining: /),
    ]);
  });

  test('is ended from outside', () => {
    journal.begins({ ...work, phase: 'P6' });
    journal.cancelled({ ...work, phase: 'P6' });
    journal.cancelled({ ...work, phase: 'P6' });
    expect(logged).toEqual([
      'INFO t01000/7 P6 begins',
      expect.stringMatching(/^INFO t01000\/7 P6 ended from outside, \d+\.\d s$/),
    ]);
  });
});

describe('a hand-back', () => {
  const noRoom = new SealError('NoRoom', 'no room');

  test('is said once, until the reason is another or the phase has begun', () => {
    for (let i = 0; i < 3; i++) journal.fails(work, noRoom);
    journal.fails(work, new SealError('MountHung', 'hung'));
    journal.fails(work, noRoom);
    journal.begins(work, { at: '1/P2-1' });
    journal.fails(work, noRoom);
    const types = logged.filter((line) => line.includes('handed back')).map((line) => line.split(': ')[1]);
    expect(types).toEqual(['NoRoom', 'MountHung', 'NoRoom', 'NoRoom']);
  });

  test('of a full pool is no news', () => {
    journal.fails(work, new SealError('NoSlot', 'full'));
    expect(logged).toEqual([]);
  });
});
