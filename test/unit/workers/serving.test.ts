/** The one statement of what a host serves, and when it is made. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Serving, statementOf, type ServingFacts } from '../../../src/workers/serving.js';

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

describe('it is made', () => {
  let logged: string[];
  let current: ServingFacts;
  let serving: Serving;
  const gauged = new Map<string, boolean>();
  beforeEach(() => {
    vi.useFakeTimers({ now });
    [logged, current] = [[], facts({ obstacles: [node] })];
    const gauges = {
      served: (phase: string, is: boolean) => void gauged.set(phase, is),
      drained: (is: boolean) => void gauged.set('drained', is),
    };
    serving = new Serving({
      ip: '10.0.0.1',
      facts: () => current,
      log: {
        info: (line) => void logged.push(`INFO ${line}`),
        warn: (line) => void logged.push(`WARN ${line}`),
      },
      gauges: gauges as never,
      publish: () => void logged.push('published'),
    });
    return () => vi.useRealTimers();
  });

  test('when the host begins, not before, and once for changes that come together', async () => {
    serving.say();
    expect([logged, gauged.get('P1')]).toEqual([[], false]);
    serving.begin();
    expect(logged).toEqual([
      'published',
      expect.stringMatching(/^WARN serves P1 P4; not P5 P6: .* on 10\.0\.0\.1$/),
    ]);
    expect(Object.fromEntries(gauged)).toEqual({ P1: true, P4: true, P5: false, P6: false, drained: false });
    serving.saySoon();
    current = facts({ drained: since });
    serving.saySoon();
    current = facts();
    await vi.runAllTimersAsync();
    expect(logged.slice(2)).toEqual(['published', 'INFO serves P1 P4 P5 P6 on 10.0.0.1']);
    serving.say();
    expect(logged).toHaveLength(4);
  });

  test('not again for another figure of the room that is lacking', () => {
    serving.begin();
    for (const reason of ['3 GB free', '2 GB free']) {
      current = facts({ noRoom: { reason, since } });
      serving.say();
    }
    expect(logged.filter((line) => line.includes('takes no new sector'))).toHaveLength(1);
  });
});
