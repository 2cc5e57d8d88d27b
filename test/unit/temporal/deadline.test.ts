/** How `status` tells of a sector's deadline. */
import { describe, expect, test } from 'vitest';
import type { HeartbeatDetails } from '../../../src/heartbeat.js';
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import { describeDeadline, needsOf } from '../../../src/temporal/ask/deadline.js';
import { host, serverWith } from '../../helpers/asked-server.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-30T03:00:00Z');

type State = 'waiting' | 'queued' | 'working' | 'done';
const sector = (
  what: 'ticket' | 'proof',
  hours: number,
  P1: State,
  P2: State = 'waiting',
  more: object = {},
) => ({
  sector: 't01000/7',
  group: 1,
  size: '2KiB' as const,
  phases: Object.fromEntries(
    PHASE_IDS.map((id) => [id, { state: { P1, P2 }[id as string] ?? ('waiting' as const), tries: 1 }]),
  ) as Record<PhaseId, { state: State; tries: number }>,
  deadline: { what, at: new Date(NOW + hours * HOUR).toISOString() },
  ...more,
});
const told = (known: ReturnType<typeof sector>, needsHours?: number) =>
  describeDeadline(known, needsHours === undefined ? undefined : needsHours * HOUR, NOW);

describe('the line', () => {
  test('tells what is left and what is needed of it', () => {
    expect(told(sector('ticket', 9.2, 'queued'), 6.1)).toBe('ticket ends in 9.2 h, needs 6.1 h');
  });

  test('marks what will not make it, with what to type', () => {
    expect(told(sector('ticket', 5, 'working'), 6.1)).toBe(
      'ticket ends in 5 h, needs 6.1 h: it will miss it; sealflow retry t01000/7 --ticket HEX@EPOCH begins anew',
    );
    expect(told(sector('ticket', 5, 'done', 'queued', { draws: 1, chain: true }), 6.1)).toBe(
      'ticket ends in 5 h, needs 6.1 h: it will miss it; sealflow retry t01000/7 --draw-ticket begins anew',
    );
  });

  test('gives the reason that a host has told, whatever its last heartbeat said', () => {
    expect(told(sector('ticket', 12, 'working', 'waiting', { late: 'layer 3: 74 h' }), 6)).toBe(
      'ticket ends in 12 h: it will miss it (layer 3: 74 h); sealflow retry t01000/7 --ticket HEX@EPOCH begins anew',
    );
  });

  test('of one that P1 has not begun with says that another is drawn', () => {
    expect(told(sector('ticket', -2, 'queued', 'waiting', { draws: 1 }), 6.1)).toBe(
      'ticket has ended 2 h ago, needs 6.1 h: another one is drawn before P1 begins',
    );
  });

  test('after P2 waits for the pre-commit, as long as one can land', () => {
    expect(told(sector('ticket', 2, 'done', 'done'))).toBe(
      'ticket ends in 2 h: its pre-commit must be on chain before',
    );
    expect(told(sector('ticket', -0.5, 'done', 'done'))).toBe(
      'ticket has ended 30 min ago: no pre-commit can land any more; sealflow retry t01000/7 --ticket HEX@EPOCH begins anew',
    );
  });

  test('of the proof', () => {
    expect(told(sector('proof', 700, 'done', 'done'))).toBe('its proof must be on chain within 700 h');
    expect(told(sector('proof', -1, 'done', 'done'))).toBe('its proof had to be on chain 1 h ago');
  });
});

describe('what is needed', () => {
  const needs = { P1: { ms: 5 * HOUR, of: 9 }, P2: { ms: HOUR, of: 9 } };
  const { whoServes } = serverWith([], {}, [[host('10.0.0.1', { configured: ['P1'], needs }), 10]]);
  const engine = (more: object): HeartbeatDetails[] => [
    { phase: 'P1', host: 'h', at: '1/P1-1', step: '', fraction: 0.5, ...more },
  ];

  test('is what its engine tells, else what the group has taken before', async () => {
    expect(await needsOf(sector('ticket', 1, 'working'), engine({ needsMs: 7 }), whoServes)).toBe(7);
    expect(await needsOf(sector('ticket', 1, 'working'), engine({}), whoServes)).toBe(6 * HOUR);
    expect(await needsOf(sector('ticket', 1, 'done', 'queued'), [], whoServes)).toBe(HOUR);
  });

  test('is nothing once P2 is done, or there is no ticket that runs', async () => {
    expect(await needsOf(sector('ticket', 1, 'done', 'done'), [], whoServes)).toBeUndefined();
    expect(await needsOf(sector('proof', 1, 'done', 'done'), [], whoServes)).toBeUndefined();
    const unknown = { ...sector('ticket', 1, 'queued'), deadline: undefined };
    expect(await needsOf(unknown, [], whoServes)).toBeUndefined();
    expect(describeDeadline(unknown, undefined)).toBeUndefined();
  });
});
