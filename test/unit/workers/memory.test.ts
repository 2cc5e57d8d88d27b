import { describe, expect, test } from 'vitest';
import { availableMemory, p4Bytes, P4Memory } from '../../../src/workers/memory.js';

describe('the memory of P4', () => {
  test.each([
    ['32GiB', {}, 300],
    ['32GiB', { BELLMAN_PROOF_THREADS: '1' }, 30],
    ['32GiB', { BELLMAN_PROOF_THREADS: '99' }, 300],
    ['64GiB', { BELLMAN_PROOF_THREADS: '4' }, 120],
    ['64GiB', { BELLMAN_PROOF_THREADS: 'x' }, 300],
    ['2KiB', { BELLMAN_PROOF_THREADS: '10' }, 2.7],
  ] as const)('at %s with %j is %d GB', (size, environment, gigabytes) => {
    expect(p4Bytes(size, environment)).toBe(gigabytes * 1e9);
  });

  /** With 100 GB, three partitions at a time. */
  const ledger = (): { memory: P4Memory; set: (bytes: number) => void } => {
    let bytes = 100e9;
    const available = () => Promise.resolve(bytes);
    const environment = { BELLMAN_PROOF_THREADS: '3' };
    return { memory: new P4Memory({ size: '32GiB', environment, available }), set: (to) => (bytes = to) };
  };

  test('is there for one, and is not promised twice', async () => {
    const { memory } = ledger();
    const both = await Promise.all([memory.reserve('t01/1'), memory.reserve('t01/2')]);
    expect(both.filter(Boolean)).toHaveLength(1);
    for (const sector of ['t01/1', 't01/2']) memory.release(sector);
    expect(await memory.reserve('t01/1')).toBeUndefined();
    expect(await memory.reserve('t01/2')).toBe(
      'P4 of a 32GiB sector takes 90.0 GB of memory with 3 of 10 partitions at a time (BELLMAN_PROOF_THREADS), ' +
        '100.0 GB are available, 90.0 GB of them promised',
    );
    memory.release('t01/1');
    expect(await memory.reserve('t01/2')).toBeUndefined();
  });

  test('that an engine has taken is promised no more', async () => {
    const { memory, set } = ledger();
    await memory.reserve('t01/1');
    memory.see('t01/1', 90e9);
    set(89e9);
    expect(await memory.reserve('t01/2')).toContain('0.000 GB of them promised');
    set(90e9);
    expect(await memory.reserve('t01/2')).toBeUndefined();
  });
});

describe('available memory', () => {
  const from = (files: Record<string, string>) =>
    availableMemory((path) => Promise.resolve(files[path] ?? ''));
  const meminfo = 'MemTotal:  100 kB\nMemAvailable:       50 kB\n';
  const container = {
    '/proc/meminfo': meminfo,
    '/sys/fs/cgroup/memory.max': '40000\n',
    '/sys/fs/cgroup/memory.current': '30000\n',
    '/sys/fs/cgroup/memory.stat': 'anon 10\nfile 5000\n',
  };

  test('is the host’s, or the container’s where that is less', async () => {
    expect(await from({ '/proc/meminfo': meminfo })).toBe(51_200);
    expect(await from(container)).toBe(15_000);
    expect(await from({ ...container, '/sys/fs/cgroup/memory.max': 'max\n' })).toBe(51_200);
  });

  test('of this machine is some', async () => {
    expect(await availableMemory()).toBeGreaterThan(0);
  });
});
