import { describe, expect, test } from 'vitest';
import { judgeConfig } from '../../../src/doctor/checks/config.js';
import { judgeEnvironment } from '../../../src/doctor/checks/environment.js';
import {
  judgeLockedMemory,
  judgeMemoryOfP1,
  judgeOpenFiles,
  judgeSha,
} from '../../../src/doctor/checks/host.js';
import { judgeMemoryOfP4 } from '../../../src/doctor/checks/memory-of-p4.js';
import { judgeUnits } from '../../../src/doctor/checks/unit.js';
import { parseLockedMemory } from '../../../src/machine/limits.js';
import { config } from './samples.js';

const ok = (found: string) => ({ result: 'ok', found, wanted: '', hint: '' });
const skipped = (found: string) => ({ ...ok(found), result: 'skipped' });

describe('config', () => {
  test('tells what is served', () => {
    expect(judgeConfig(config())).toEqual(ok('P1 of group 1, 32GiB'));
    const withNode = config({ pools: [[1, 'P5', 'P6']], more: 'storage-nodes = ["/mnt/a"]' });
    expect(judgeConfig(withNode)).toEqual(ok('P5 P6 of group 1, 32GiB'));
  });

  test('fails where copies have nowhere to go', () => {
    expect(judgeConfig(config({ pools: [[1, 'P5', 'P6']] }))).toEqual({
      result: 'fail',
      found: 'P5 P6 in supported_phase, but no storage-nodes',
      wanted: 'a mounted directory to copy finished sectors to: without it these phases are not served',
      hint: 'add a line like storage-nodes = ["/mnt/nfs/10.10.4.23"] above the first [[worker]]',
    });
  });
});

describe('locked memory', () => {
  test.each([
    ['8388608', '0000000000000000', 8_388_608],
    ['unlimited', '0000000000000000', Infinity],
    // CAP_IPC_LOCK
    ['8388608', '0000000000004000', Infinity],
  ])('limit %s, capabilities %s', (limit, capabilities, room) => {
    const limits = `Max locked memory         65536                ${limit}              bytes\n`;
    expect(parseLockedMemory(limits, `CapEff:\t${capabilities}\n`)).toBe(room);
  });

  test('should be enough for two layers', () => {
    expect(judgeLockedMemory(config(), Infinity)).toEqual(ok('no limit'));
    expect(judgeLockedMemory(config({ pools: [[1, 'P2']] }), 0)).toEqual(skipped('P1 is not served here'));
    expect(judgeLockedMemory(config(), 8_388_608)).toMatchObject({
      result: 'warn',
      wanted: '68.7 GB, two layers of 32GiB: else they may be swapped out',
    });
  });
});

describe('SHA-NI', () => {
  test('is told, and matters to P1 only', () => {
    expect(judgeSha(config(), { model: 'AMD EPYC 7502', sha: true })).toEqual(ok('AMD EPYC 7502'));
    const other = config({ pools: [[1, 'P2']] });
    expect(judgeSha(other, { model: '', sha: false })).toEqual(skipped('P1 is not served here'));
  });

  test('warns where it is missing', () => {
    expect(judgeSha(config(), { model: 'Xeon E5-2683 v4', sha: false })).toEqual({
      result: 'warn',
      found: 'Xeon E5-2683 v4 has no SHA extensions',
      wanted: 'SHA-NI: P1 of 32 GiB takes 3 hours with it, 32 hours or more without',
      hint: 'run P1 on AMD Zen, Intel Ice Lake or newer; in a virtual machine, pass through the CPU flag sha_ni',
    });
  });
});

describe('open files', () => {
  test.each([
    [1_048_576, 'ok', '1048576'],
    [1100, 'warn', '1100 (hard limit 4096) open files'],
    [256, 'fail', '256 (hard limit 4096) open files'],
  ])('%d: %s', (soft, result, found) => {
    const verdict = judgeOpenFiles(config(), { soft, hard: Math.max(soft, 4096) });
    expect(verdict).toMatchObject({ result, found });
    if (result === 'ok') return;
    expect(verdict).toMatchObject({
      wanted: '1104 or more for 10 slots',
      hint: 'LimitNOFILE=1048576 in the systemd unit, or `ulimit -n 1048576` before the worker',
    });
  });
});

describe('memory for P1', () => {
  test('is two layers for each', () => {
    expect(judgeMemoryOfP1(config(), 768e9)).toEqual(ok('768.0 GB for 687.2 GB'));
    expect(judgeMemoryOfP1(config({ pools: [[1, 'P2']] }), 1)).toEqual(skipped('P1 is not served here'));
  });

  test('fails with what would fit', () => {
    expect(judgeMemoryOfP1(config(), 256e9)).toEqual({
      result: 'fail',
      found: '256.0 GB of memory',
      wanted: '687.2 GB: two layers of 32GiB for each P1 slot (10)',
      hint: 'set num of the P1 pool to 3 or less',
    });
    expect(judgeMemoryOfP1(config(), 64e9).hint).toBe('serve P1 on a host with more memory');
  });
});

describe('memory for P4', () => {
  const p4 = config({ pools: [[1, 'P4']] });
  const threads = (number: string) => ({ BELLMAN_PROOF_THREADS: number });

  test('is that of the partitions that are proved at a time', () => {
    expect(judgeMemoryOfP4(p4, threads('2'), 128e9)).toEqual(ok('128.0 GB for 60.0 GB'));
    expect(judgeMemoryOfP4(p4, threads('99'), 512e9)).toEqual(ok('512.0 GB for 300.0 GB'));
    expect(judgeMemoryOfP4(config({ size: '2KiB', pools: [[1, 'P4']] }), {}, 4e9).result).toBe('ok');
    expect(judgeMemoryOfP4(config(), {}, 1)).toEqual(skipped('P4 is not served here'));
  });

  test('fails with what would fit', () => {
    expect(judgeMemoryOfP4(p4, {}, 128e9)).toEqual({
      result: 'fail',
      found: '128.0 GB of memory',
      wanted: '300.0 GB: 10 partitions at once for each P4 slot (1)',
      hint: 'set BELLMAN_PROOF_THREADS to 4 or less (of 10; P4 gets slower in proportion), or lower num',
    });
    expect(judgeMemoryOfP4(p4, threads('1'), 16e9).hint).toBe(
      'lower num of the P4 pool, or serve P4 on a host with more memory',
    );
  });

  test('fails for a number of partitions that is none', () => {
    expect(judgeMemoryOfP4(p4, threads('two'), 128e9)).toMatchObject({
      result: 'fail',
      found: 'BELLMAN_PROOF_THREADS = two',
      wanted: 'a whole number above 0: P4 rejects anything else',
    });
  });
});

describe('environment', () => {
  test('is in order without what other engines know', () => {
    const own = {
      PATH: '/bin',
      RUST_LOG: 'info',
      BELLMAN_PROOF_THREADS: '2',
      FORCE_COLOR: '1',
      FIL_PROOFS_PARAMETER_CACHE: '/p',
    };
    expect(judgeEnvironment(own)).toEqual(ok('no variables of other engines'));
  });

  test.each([
    ['FORCE_OPT_P1', "FORCE_OPT_P1: chose a faster P1 in force-remote-worker's fork"],
    ['FORCE_ANYTHING', "FORCE_ANYTHING: belongs to force-remote-worker's fork"],
    [
      'FIL_PROOFS_MAXIMIZE_CACHING',
      'FIL_PROOFS_MAXIMIZE_CACHING: kept parent caches in memory in earlier versions of rust-fil-proofs',
    ],
    [
      'FIL_PROOFS_USE_GPU_COLUMN_BUILDER',
      'FIL_PROOFS_USE_GPU_COLUMN_BUILDER: let P2 build its trees on the GPU; this engine computes on the CPU',
    ],
  ])('warns of %s', (name, found) => {
    expect(judgeEnvironment({ PATH: '/bin', [name]: '1' })).toEqual({
      result: 'warn',
      found,
      wanted: 'unset: it has no effect here',
      hint: `unset ${name}`,
    });
  });

  test('names several at once, and is as bad as the worst', () => {
    const verdict = judgeEnvironment({ FORCE_HUGE_PAGE: '1', FIL_PROOFS_ROWS_TO_DISCARD: '3' });
    expect(verdict).toEqual({
      result: 'fail',
      found:
        "FORCE_HUGE_PAGE: kept P1's layers in huge pages in force-remote-worker's fork\nFIL_PROOFS_ROWS_TO_DISCARD=3",
      wanted:
        'unset: it has no effect here\n' +
        'FIL_PROOFS_ROWS_TO_DISCARD unset: every program that reads the sector later must use the same value',
      hint: 'unset FORCE_HUGE_PAGE\nunset FIL_PROOFS_ROWS_TO_DISCARD',
    });
    expect(judgeEnvironment({ FIL_PROOFS_ROWS_TO_DISCARD: '2' }).result).toBe('ok');
  });
});

describe('systemd unit', () => {
  const good = {
    Id: 'sealflow-worker.service',
    LoadState: 'loaded',
    KillMode: 'process',
    OOMPolicy: 'continue',
    LimitNOFILE: '1048576',
    User: 'fil',
  };
  const fil = { username: 'fil', uid: 1000 };

  test('is in order, or not there', () => {
    expect(judgeUnits([good], fil)).toEqual(ok('sealflow-worker.service'));
    const notFound = { ...good, LoadState: 'not-found' };
    expect(judgeUnits([notFound], fil)).toEqual(skipped('no unit sealflow-worker*.service is loaded'));
  });

  test('fails where a restart or the OOM killer would end engines', () => {
    expect(judgeUnits([{ ...good, KillMode: 'control-group', OOMPolicy: 'stop' }], fil)).toEqual({
      result: 'fail',
      found: 'sealflow-worker.service: KillMode=control-group\nsealflow-worker.service: OOMPolicy=stop',
      wanted:
        'KillMode=process: else a restart of the worker kills all engines: P1 loses its current layer, P2 to P4 everything\n' +
        'OOMPolicy=continue: else one engine that uses too much memory ends the worker and all other engines',
      hint: 'systemctl edit sealflow-worker.service',
    });
  });

  test("warns about a low file limit, and about a user other than doctor's", () => {
    expect(judgeUnits([{ ...good, LimitNOFILE: '1024' }], fil)).toMatchObject({
      result: 'warn',
      found: 'sealflow-worker.service: LimitNOFILE=1024',
      wanted: 'LimitNOFILE=65536 or more',
    });
    expect(judgeUnits([{ ...good, LimitNOFILE: 'infinity' }], { username: 'root', uid: 0 })).toEqual({
      result: 'warn',
      found: 'sealflow-worker.service runs as fil, doctor as root',
      wanted: 'doctor as the same user: write permissions were checked as another',
      hint: 'sudo -u fil sealflow doctor …',
    });
  });
});
