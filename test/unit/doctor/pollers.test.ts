/** What doctor makes of the addresses, versions and sizes of a group's hosts, and of its own worker. */
import { describe, expect, test } from 'vitest';
import { judgeAddress } from '../../../src/doctor/checks/address.js';
import { judgeSizes, judgeVersions } from '../../../src/doctor/checks/pollers.js';
import { judgeWorker } from '../../../src/doctor/checks/worker.js';
import type { HostStatement } from '../../../src/host-statement.js';
import { VERSION } from '../../../src/version.js';

describe('ip', () => {
  const interfaces = {
    lo: [{ address: '127.0.0.1', family: 'IPv4' as const }],
    eth0: [
      { address: '10.10.10.21', family: 'IPv4' as const },
      { address: '2001:db8::5', family: 'IPv6' as const },
      { address: 'fe80::1', family: 'IPv6' as const },
      { address: 'fe80::2%eth0', family: 'IPv6' as const },
    ],
  };

  test.each([
    ['10.10.10.21', '10.10.10.21 (eth0)'],
    ['2001:DB8:0::5', '2001:DB8:0::5 (eth0)'],
    ['fe80::2', 'fe80::2 (eth0)'],
    ['127.0.0.9', '127.0.0.9 (loopback)'],
  ])('%s is of this host', (ip, found) => {
    expect(judgeAddress(ip, interfaces)).toMatchObject({ result: 'ok', found });
  });

  test('is of another host, or behind NAT', () => {
    expect(judgeAddress('10.10.10.33', interfaces)).toMatchObject({
      result: 'warn',
      found: 'ip = "10.10.10.33" is no address of this host (127.0.0.1 10.10.10.21 2001:db8::5)',
    });
  });
});

describe('versions', () => {
  const at = (identity: string, version: string | undefined, lastAsked = 1_000_000) => ({
    identity,
    lastAsked,
    ...(version && { version }),
  });

  test('are the same; those that have ended do not count', () => {
    expect(judgeVersions([at('a#1', VERSION), at('b#2', VERSION), at('c#3', '0.0.1', 1)])).toMatchObject({
      result: 'ok',
    });
    expect(judgeVersions([])).toMatchObject({ result: 'skipped' });
  });

  test('are mixed, or others than here', () => {
    expect(judgeVersions([at('a#1', '0.2.0'), at('b#2', undefined), at('b#2', undefined)])).toMatchObject({
      result: 'warn',
      found: '0.2.0: a#1\nof unknown version: b#2',
    });
    expect(judgeVersions([at('a#1', '0.2.0')]).result).toBe('warn');
    expect(judgeVersions([at('a#1', '0.2.0'), at('b#2', VERSION)]).result).toBe('warn');
  });
});

describe('the sector size', () => {
  test('is that of the others, or nobody serves anything', () => {
    expect(judgeSizes('2KiB', '10.0.0.1', {})).toMatchObject({ result: 'ok' });
    const served = { '2KiB': { P1: ['10.0.0.1#1', '10.0.0.2#1'] }, '32GiB': { P1: ['10.0.0.3#1'] } };
    expect(judgeSizes('2KiB', '10.0.0.1', served)).toMatchObject({ result: 'ok' });
  });

  test('is that of this host alone, which serves another one too', () => {
    const served = { '2KiB': { P1: ['10.0.0.1#1'] }, '8MiB': { P1: [] }, '32GiB': { P1: ['10.0.0.1#9'] } };
    expect(judgeSizes('2KiB', '10.0.0.1', served)).toMatchObject({ result: 'ok' });
  });

  test('is served by no other host, but others are', () => {
    const served = {
      '2KiB': { P1: ['10.0.0.1#1'] },
      '32GiB': { P1: ['10.0.0.3#1'], P2: ['10.0.0.2#7', '10.0.0.3#1'] },
    };
    expect(judgeSizes('2KiB', '10.0.0.1', served)).toMatchObject({
      result: 'warn',
      found: 'only this host serves 2KiB; 10.0.0.2 10.0.0.3 serve 32GiB',
    });
    const one = { '8MiB': { P1: ['10.0.0.3#1'] }, '32GiB': { P1: ['10.0.0.4#1'] } };
    expect(judgeSizes('2KiB', '10.0.0.1', one).found).toBe(
      'only this host serves 2KiB; 10.0.0.3 serves 8MiB; 10.0.0.4 serves 32GiB',
    );
  });
});

describe('the worker', () => {
  const told: HostStatement = {
    ...{ v: 1, ip: '10.0.0.1', pid: 4711, version: VERSION, size: '2KiB' },
    ...{ configured: ['P1'], obstacles: [], pools: [] },
  };
  const since = new Date('2026-11-28T14:03:00Z');

  test('serves all, or is not there', () => {
    expect(judgeWorker(told, undefined)).toMatchObject({ result: 'ok', found: 'serves P1 (process 4711)' });
    expect(judgeWorker(undefined, undefined)).toMatchObject({ result: 'skipped' });
    expect(judgeWorker('no server', undefined)).toMatchObject({ result: 'skipped', found: 'no server' });
  });

  test('does not serve something', () => {
    const obstacles = [{ phases: ['P1' as const], reason: '/sealer is hung', since }];
    expect(judgeWorker({ ...told, obstacles }, undefined)).toMatchObject({
      result: 'warn',
      found: 'serves nothing; not P1: /sealer is hung (since 2026-11-28 14:03Z)',
      wanted: 'P1 served',
    });
  });

  test('is drained, or will be', () => {
    expect(judgeWorker({ ...told, drained: since }, undefined)).toMatchObject({
      result: 'warn',
      found: 'serves nothing: drained since 2026-11-28 14:03Z (sealflow undrain ends that)',
      wanted: 'a host that takes work',
    });
    expect(judgeWorker(undefined, since)).toMatchObject({
      result: 'warn',
      found: `drained since ${since.toISOString()}`,
    });
  });

  test('is of another version', () => {
    expect(judgeWorker({ ...told, version: '0.0.1' }, undefined)).toMatchObject({
      result: 'warn',
      found: 'the worker runs sealflow 0.0.1',
    });
  });
});
