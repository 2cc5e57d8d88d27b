import { describe, expect, test } from 'vitest';
import { controlQueue, phaseQueue, parseSealInput, WORKFLOW_QUEUE, workflowId } from '../../src/contract.js';
import { parseProvideSeed, parseRetry } from '../../src/messages.js';
import * as search from '../../src/search-attributes.js';
import { PHASE_IDS, SECTOR_SIZE_NAMES } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';

const INPUT = { v: 1, sector: 't01000/7', size: '2KiB', group: 1, ticket: 'aa'.repeat(32) };
const SEED = 'bb'.repeat(32);

describe('names', () => {
  test('the workflow ID is made from the sector', () => {
    expect(workflowId(sectorOf('f01000/7'))).toBe('seal-t01000-7');
  });

  test('queues tell group, size and phase', () => {
    expect(phaseQueue(1, '32GiB', 'P1')).toBe('sealflow/1/32GiB/PreCommitPhase1');
    expect(phaseQueue(12, '2KiB', 'P6')).toBe('sealflow/12/2KiB/CleanTask');
    expect(controlQueue(1)).toBe('sealflow/1/control');
  });

  test('no two queues have the same name', () => {
    const queues = [1, 11].flatMap((group) => [
      controlQueue(group),
      ...SECTOR_SIZE_NAMES.flatMap((size) => PHASE_IDS.map((phase) => phaseQueue(group, size, phase))),
    ]);
    expect(new Set([WORKFLOW_QUEUE, ...queues]).size).toBe(queues.length + 1);
  });

  test('search attributes are those of the table, with their types', () => {
    const keys = [
      search.sealMiner,
      search.sealSectorNumber,
      search.sealSize,
      search.sealGroup,
      search.sealPhase,
      search.sealState,
      search.sealHost,
      search.sealDeadline,
      search.sealLate,
    ];
    const types = {
      ...{ KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList', INT: 'Int', DATETIME: 'Datetime' },
    } as Record<string, string>;
    expect(Object.fromEntries(keys.map(({ name, type }) => [name, types[type]]))).toEqual(
      search.SEARCH_ATTRIBUTES,
    );
  });
});

describe('the input of sealSector', () => {
  test('may be the least there is', () => {
    expect(parseSealInput(INPUT).data).toEqual(INPUT);
  });

  test('may say all', () => {
    const ticketLife = { from: '2026-11-30T03:00:00Z', until: '2026-12-01T10:30:00.5+01:00' };
    const all = { ...INPUT, ticketEpoch: 0, ticketLife, seed: SEED, priority: true, timeScale: 0.1 };
    expect(parseSealInput(all).data).toEqual(all);
  });

  test('has the sector in one form', () => {
    expect(parseSealInput({ ...INPUT, sector: 'f01000/7' }).data?.sector).toBe('t01000/7');
  });

  test.each([
    ['v', 2, 'must be 1'],
    ['v', '1', 'Invalid input'],
    ['sector', 't1000/7', 'must be like t01000/7'],
    ['sector', '../x', 'must be like t01000/7'],
    ['sector', 7, 'expected string'],
    ['size', '32gib', 'Invalid option'],
    ['size', 2048, 'Invalid option'],
    ['group', -1, '>=0'],
    ['group', 1.5, 'expected int'],
    ['group', '1', 'expected number'],
    ['ticket', 'AA'.repeat(32), '64 lower-case hex digits'],
    ['ticket', 'aa'.repeat(31), '64 lower-case hex digits'],
    ['ticket', `${'aa'.repeat(32)}\n`, '64 lower-case hex digits'],
    ['ticketEpoch', -1, '>=0'],
    ['ticketLife', {}, 'must be a time like 2026-11-30T03:00:00Z'],
    ['ticketLife', { from: 'today', until: '2026-12-01' }, 'must be a time like 2026-11-30T03:00:00Z'],
    [
      'ticketLife',
      { from: '2026-12-01T00:00:00Z', until: '2026-12-01T00:00:00Z' },
      'must end after it has begun',
    ],
    ['seed', '00'.repeat(32), 'must not be all zeros'],
    ['seed', 'zz'.repeat(32), '64 lower-case hex digits'],
    ['priority', 'yes', 'expected boolean'],
    ['timeScale', 0, '>0'],
    ['timeScale', 2, '<=1'],
    ['frobnicate', 1, 'Unrecognized key'],
  ])('is refused with %s = %j', (key, value, message) => {
    const parsed = parseSealInput({ ...INPUT, [key]: value });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toContain(message);
  });

  test.each(['v', 'sector', 'size', 'group', 'ticket'])('is refused without %s', (key) => {
    expect(parseSealInput({ ...INPUT, [key]: undefined }).success).toBe(false);
  });

  test.each([undefined, null, 'x', 7, []])('is not %j', (value) => {
    expect(parseSealInput(value).success).toBe(false);
  });
});

describe('messages', () => {
  test('provideSeed takes a seed that can be one', () => {
    expect(parseProvideSeed({ seed: SEED, replace: true }).data).toEqual({ seed: SEED, replace: true });
    for (const wrong of [
      {},
      { seed: '00'.repeat(32) },
      { seed: SEED, replace: 'no' },
      { seed: SEED, force: true },
    ]) {
      expect(parseProvideSeed(wrong).success).toBe(false);
    }
  });

  test('retry takes a phase, a ticket, or nothing', () => {
    for (const good of [{}, { from: 'P6' }, { ticket: SEED }, { acceptCommR: true }]) {
      expect(parseRetry(good).data).toEqual(good);
    }
    for (const wrong of [{ from: 'P7' }, { from: 'p1' }, { ticket: 'x' }, { acceptCommr: true }]) {
      expect(parseRetry(wrong).success).toBe(false);
    }
  });
});
