import { describe, expect, test } from 'vitest';
import { judgeClock } from '../../../src/doctor/checks/clock.js';
import {
  judgeAttributes,
  judgeOrchestrators,
  judgePriority,
  judgeRetention,
  judgeVersion,
} from '../../../src/doctor/checks/server.js';

const DAY = 86_400_000;
const ALL = {
  SealMiner: 2,
  SealSector: 3,
  SealSize: 2,
  SealGroup: 2,
  SealPhase: 2,
  SealState: 2,
  SealHost: 7,
  SealDeadline: 6,
  SealLate: 2,
};
const WANTED =
  'SealMiner Keyword, SealSector Int, SealSize Keyword, SealGroup Keyword, SealPhase Keyword, SealState Keyword, SealHost KeywordList, SealDeadline Datetime, SealLate Keyword';

test('the version', () => {
  expect(judgeVersion('1.31.2')).toMatchObject({ result: 'ok', found: '1.31.2' });
  expect(judgeVersion('1.29.1')).toEqual({
    result: 'warn',
    found: 'Temporal server 1.29.1',
    wanted: '1.31 or newer: tested with sealflow',
    hint: 'upgrade it; until then set matching.useNewMatcher = true in its dynamic config, so that begun sectors go first',
  });
});

describe('retention', () => {
  const wanted = "30 days or more: afterwards a sector's proof and history are deleted";
  const hint = 'run sealflow setup (365 days, or --retention-days)';

  test('is long enough', () => {
    expect(judgeRetention(365 * DAY)).toMatchObject({ result: 'ok', found: '365 d' });
  });

  test('is short', () => {
    const found = 'closed workflows are retained for 7 d';
    expect(judgeRetention(7 * DAY)).toEqual({ result: 'warn', found, wanted, hint });
  });

  test("is shorter than a sector takes: the development server's", () => {
    const found = 'closed workflows are retained for 1 d';
    expect(judgeRetention(DAY)).toEqual({ result: 'fail', found, wanted, hint });
  });
});

describe('search attributes', () => {
  test('are there, beside others', () => {
    expect(judgeAttributes({ ...ALL, Other: 1 }).result).toBe('ok');
  });

  test('are missing', () => {
    const { SealHost: _, SealSector: __, ...rest } = ALL;
    expect(judgeAttributes(rest)).toEqual({
      result: 'fail',
      found: 'SealSector is missing, SealHost is missing',
      wanted: WANTED,
      hint: 'run sealflow setup',
    });
  });

  test('are of another type', () => {
    expect(judgeAttributes({ ...ALL, SealSector: 2 })).toEqual({
      result: 'fail',
      found: 'SealSector is Keyword',
      wanted: WANTED,
      hint: 'remove those of another type (temporal operator search-attribute remove), then run sealflow setup; or use another namespace',
    });
  });
});

test('orchestrators', () => {
  expect(judgeOrchestrators(['a#1', 'b#2'])).toMatchObject({ result: 'ok', found: 'a#1 b#2' });
  expect(judgeOrchestrators([])).toEqual({
    result: 'warn',
    found: 'nobody polls for workflow tasks',
    wanted: 'an orchestrator, better two on different hosts: without one no sector makes progress',
    hint: 'run sealflow orchestrator',
  });
});

test('priority is strict only with one partition', () => {
  expect(judgePriority(1)).toMatchObject({ result: 'ok' });
  expect(judgePriority(4)).toEqual({
    result: 'warn',
    found: '4 partitions of each task queue: priority and order hold within each only',
    wanted: 'one partition, so that high priority always goes first, and then what came first',
    hint: 'set matching.numTaskqueueReadPartitions and matching.numTaskqueueWritePartitions to 1 in the dynamic config of the server',
  });
});

describe('the clock', () => {
  const wanted = 'at most 2 s: logs, receipts and the age of tickets are compared across hosts';
  const hint = 'run chrony or systemd-timesyncd on both (`timedatectl` shows the state)';

  test('is right, as far as can be told', () => {
    expect(judgeClock({ aheadMs: -3, accuracyMs: 12 })).toMatchObject({
      result: 'ok',
      found: '3 ms behind the server (± 12 ms)',
    });
    // Off by five seconds or by none: the answer took ten.
    expect(judgeClock({ aheadMs: 5_000, accuracyMs: 5_000 }).result).toBe('ok');
  });

  test('is off', () => {
    const found = '12 s ahead of the server (± 20 ms)';
    expect(judgeClock({ aheadMs: 12_000, accuracyMs: 20 })).toEqual({ result: 'warn', found, wanted, hint });
  });

  test('is an hour off', () => {
    const found = '1 h behind the server (± 20 ms)';
    expect(judgeClock({ aheadMs: -3_600_000, accuracyMs: 20 })).toEqual({
      result: 'fail',
      found,
      wanted,
      hint,
    });
  });
});
