/** What a host says of itself: in words, and as the name of a poller. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeStatement,
  encodeStatement,
  statementOf,
  whyNot,
  type HostStatement,
  type ServingFacts,
} from '../../src/host-statement.js';
import { PHASE_IDS } from '../../src/phases.js';

const since = new Date('2026-11-29T14:03:20Z');
const now = new Date('2026-11-29T15:00:00Z');
const node = { phases: ['P5', 'P6'], reason: '/mnt/nfs/10.10.4.23 is not mounted', since } as const;
const facts = (changes: Partial<ServingFacts> = {}): ServingFacts => ({
  configured: ['P1', 'P4', 'P5', 'P6'],
  obstacles: [],
  ...changes,
});

describe('the statement', () => {
  test.each<readonly [string, Partial<ServingFacts>, string]>([
    ['all', {}, 'serves P1 P4 P5 P6'],
    [
      'a part, and why not the rest',
      { obstacles: [node] },
      'serves P1 P4; not P5 P6: /mnt/nfs/10.10.4.23 is not mounted (since 14:03Z)',
    ],
    [
      'nothing, as the host is drained',
      { drained: new Date('2026-11-28T23:59:00Z') },
      'serves nothing: drained since 2026-11-28 23:59Z (sealflow undrain ends that)',
    ],
    [
      'what is wrong besides',
      { obstacles: [{ ...node, phases: [] }] },
      'serves P1 P4 P5 P6; /mnt/nfs/10.10.4.23 is not mounted (since 14:03Z)',
    ],
    [
      'that there is no room',
      { noRoom: { reason: 'no room', since } },
      'serves P1 P4 P5 P6; P1 takes no new sector: no room (since 14:03Z)',
    ],
  ])('says %s', (_, changes, expected) => {
    expect(statementOf(facts(changes), now)).toBe(expected);
  });
});

test.each<readonly [string, Partial<ServingFacts>, (string | undefined)[]]>([
  ['an obstacle', { obstacles: [node] }, [undefined, '/mnt/nfs/10.10.4.23 is not mounted (since 14:03Z)']],
  [
    'a drain, before all else',
    { obstacles: [node], drained: since },
    ['drained since 14:03Z', 'drained since 14:03Z'],
  ],
  [
    'a lack of room, which lets begun sectors go on',
    { noRoom: { reason: 'full', since } },
    [undefined, undefined],
  ],
])('why a phase is not served: %s', (_, changes, expected) => {
  expect([whyNot(facts(changes), 'P1', now), whyNot(facts(changes), 'P5', now)]).toEqual(expected);
});

describe('as the name of a poller', () => {
  const told: HostStatement = {
    ...{ v: 1, ip: 'fd00::5', pid: 4711, version: '0.1.0', size: '32GiB' },
    ...facts({ obstacles: [node], drained: since, noRoom: { reason: 'no room', since } }),
    pools: [{ phases: ['P1'], slots: 2, taken: 2, freeAbout: now }],
  };

  test('it comes back as it was', () => {
    const name = encodeStatement(told);
    expect(name).toMatch(/^fd00::5#4711 \{/);
    expect(decodeStatement(name)).toEqual(told);
  });

  test.each([
    '10.0.0.1#7',
    'doctor 1',
    '',
    '10.0.0.1#7 {',
    `10.0.0.1#7 ${JSON.stringify({ ...told, v: 99 })}`,
  ])('%s is no statement, or one of a newer version', (name) => {
    expect(decodeStatement(name)).toBeUndefined();
  });

  test('long reasons are cut, and nothing else is left out', () => {
    const long = { ...node, reason: '/mnt/nfs/10.10.4.23 '.repeat(100) };
    const noRoom = { reason: 'no room '.repeat(100), since };
    const read = decodeStatement(encodeStatement({ ...told, obstacles: [long], noRoom }));
    expect(read).toMatchObject({ ...told, obstacles: [{ phases: node.phases, since }], noRoom: { since } });
    for (const [is, was] of [
      [read?.obstacles[0]?.reason, long.reason],
      [read?.noRoom?.reason, noRoom.reason],
    ]) {
      expect(is).toMatch(/.{100}…$/);
      expect(was?.startsWith(is?.slice(0, -1) ?? '-')).toBe(true);
    }
  });

  test('too many reasons are none: then it says that nothing is in order', () => {
    const obstacles = Array.from({ length: 40 }, () => node);
    const noRoom = { reason: 'no room '.repeat(200), since };
    expect(decodeStatement(encodeStatement({ ...told, obstacles, noRoom }))).toEqual({
      ...told,
      noRoom: undefined,
      obstacles: [{ phases: told.configured, reason: 'too much is wrong to be told: see its log' }],
    });
  });

  test('it fits, however long the reasons are, and says which phases are not served', () => {
    // Without `size` fast-check keeps to a few characters, and nothing is ever too long.
    const reason = fc.string({ unit: 'grapheme', maxLength: 600, size: 'max' });
    const obstacle = fc.record({ phases: fc.subarray([...PHASE_IDS]), reason });
    fc.assert(
      fc.property(fc.array(obstacle, { maxLength: 12, size: 'max' }), reason, (obstacles, room) => {
        const name = encodeStatement({ ...told, obstacles, noRoom: { reason: room, since } });
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1000);
        const read = decodeStatement(name);
        for (const phase of told.configured)
          if (obstacles.some(({ phases }) => phases.includes(phase)))
            expect(read?.obstacles.some(({ phases }) => phases.includes(phase))).toBe(true);
      }),
      // To make such texts smaller takes minutes.
      { endOnFailure: true },
    );
  });
});
