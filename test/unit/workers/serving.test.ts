/** When a host says what it serves. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ServingFacts } from '../../../src/host-statement.js';
import { Serving } from '../../../src/workers/serving.js';

const since = new Date('2026-11-29T14:03:20Z');
const now = new Date('2026-11-29T15:00:00Z');
const node = { phases: ['P5', 'P6'], reason: '/mnt/nfs/10.10.4.23 is not mounted', since } as const;
const facts = (changes: Partial<ServingFacts> = {}): ServingFacts => ({
  configured: ['P1', 'P4', 'P5', 'P6'],
  obstacles: [],
  ...changes,
});

describe('it is made', () => {
  let logged: string[];
  let current: ServingFacts;
  let serving: Serving;
  let looks: number;
  const gauged = new Map<string, boolean>();
  beforeEach(() => {
    vi.useFakeTimers({ now });
    [logged, looks, current] = [[], 0, facts({ obstacles: [node] })];
    const gauges = {
      served: (phase: string, is: boolean) => void gauged.set(phase, is),
      drained: (is: boolean) => void gauged.set('drained', is),
    };
    serving = new Serving({
      ip: '10.0.0.1',
      facts: () => ((looks += 1), current),
      log: {
        info: (line) => void logged.push(`INFO ${line}`),
        warn: (line) => void logged.push(`WARN ${line}`),
      },
      gauges: gauges as never,
      onSaid: () => void logged.push('said'),
    });
    return () => vi.useRealTimers();
  });

  test('when the host begins, not before, and once for changes that come together', async () => {
    serving.say();
    expect([logged, gauged.get('P1')]).toEqual([[], false]);
    serving.begin();
    expect(logged).toEqual([
      'said',
      expect.stringMatching(/^WARN serves P1 P4; not P5 P6: .* on 10\.0\.0\.1$/),
    ]);
    expect(Object.fromEntries(gauged)).toEqual({ P1: true, P4: true, P5: false, P6: false, drained: false });
    looks = 0;
    serving.saySoon();
    current = facts({ drained: since });
    serving.saySoon();
    current = facts();
    serving.saySoon();
    await vi.runAllTimersAsync();
    expect(looks).toBe(1);
    expect(logged.slice(2)).toEqual(['said', 'INFO serves P1 P4 P5 P6 on 10.0.0.1']);
    serving.saySoon();
    serving.say();
    expect([logged.length, vi.getTimerCount()]).toEqual([4, 0]);
    current = facts({ drained: since });
    serving.saySoon();
    await vi.runAllTimersAsync();
    expect(logged).toHaveLength(6);
  });

  test.each<readonly [string, Partial<ServingFacts>, string]>([
    ['the host is drained', { drained: since }, 'INFO serves nothing: drained since 14:03Z'],
    ['something is not in order', { obstacles: [node] }, 'WARN serves P1 P4; not P5 P6: '],
    ['there is no room', { noRoom: { reason: 'full', since } }, 'WARN serves P1 P4 P5 P6; P1 takes no new '],
  ])('anew when %s, and when it no longer is', (_, changes, line) => {
    current = facts();
    serving.begin();
    current = facts(changes);
    serving.say();
    expect(gauged.get('drained')).toBe(changes.drained !== undefined);
    current = facts();
    serving.say();
    expect(logged.filter((one) => one !== 'said').map((one) => one.slice(0, line.length))).toEqual([
      'INFO serves P1 P4 P5 P6 on 10.0.0.1'.slice(0, line.length),
      line,
      'INFO serves P1 P4 P5 P6 on 10.0.0.1'.slice(0, line.length),
    ]);
    expect(gauged.get('drained')).toBe(false);
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
