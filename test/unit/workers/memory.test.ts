import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { availableMemory, p4Bytes, P4Memory, takenBytes } from '../../../src/workers/memory.js';

describe('P4 memory', () => {
  test.each([
    ['32GiB', {}, 300],
    ['32GiB', { BELLMAN_PROOF_THREADS: '1' }, 30],
    ['32GiB', { BELLMAN_PROOF_THREADS: '99' }, 300],
    ['64GiB', { BELLMAN_PROOF_THREADS: '4' }, 120],
    ['64GiB', { BELLMAN_PROOF_THREADS: 'x' }, 300],
    ['2KiB', { BELLMAN_PROOF_THREADS: '10' }, 1.8],
  ] as const)('for %s with %j: %d GB', (size, environment, gigabytes) => {
    expect(p4Bytes(size, environment)).toBe(gigabytes * 1e9);
  });

  let free: number;
  let live: Map<string, number>;
  let memory: P4Memory;
  beforeEach(() => {
    free = 100e9;
    live = new Map<string, number>();
    memory = new P4Memory({
      size: '32GiB',
      environment: { BELLMAN_PROOF_THREADS: '3' },
      live: () => live,
      available: () => Promise.resolve(free),
      // In this test the process ID is its memory in GB.
      takenBy: (pid) => Promise.resolve(pid * 1e9),
    });
  });

  test('is reserved for only one of two concurrent P4s until the first releases it', async () => {
    const both = await Promise.all(['s-t01-1', 's-t01-2'].map((sector) => memory.reserve(sector)));
    const refused = both.filter((answer) => typeof answer === 'string');
    expect(refused).toEqual([
      'P4 of a 32GiB sector needs 90.0 GB of memory with 3 of 10 partitions at a time (BELLMAN_PROOF_THREADS): ' +
        '100.0 GB available, 90.0 GB of that reserved',
    ]);
    for (const answer of both) if (typeof answer !== 'string') answer();
    expect(await memory.reserve('s-t01-2')).toBeTypeOf('function');
  });

  test('that an engine has allocated is no longer reserved, whichever worker started it', async () => {
    live.set('s-t01-1', 0);
    expect(await memory.reserve('s-t01-2')).toContain('90.0 GB of that reserved');
    live.set('s-t01-1', 90);
    free = 89e9;
    expect(await memory.reserve('s-t01-2')).toMatch(/: 89\.0 GB available$/);
    free = 90e9;
    expect(await memory.reserve('s-t01-2')).toBeTypeOf('function');
  });

  test('is counted once for a reservation whose engine is running', async () => {
    await memory.reserve('s-t01-1');
    live.set('s-t01-1', 30);
    free = 150e9;
    expect(await memory.reserve('s-t01-2')).toBeTypeOf('function');
  });
});

test('a refusal names no partitions where there is but one', async () => {
  const available = () => Promise.resolve(1.2e9);
  const memory = new P4Memory({ size: '2KiB', environment: {}, live: () => new Map(), available });
  expect(await memory.reserve('s-t01-1')).toBe(
    'P4 of a 2KiB sector needs 1.8 GB of memory: 1.2 GB available',
  );
});

test('available memory of this machine is not zero', async () => {
  expect(await availableMemory()).toBeGreaterThan(0);
});

test('mapped files are not memory that a process has taken: the parameters are read from disk again', async () => {
  const status = await readFile('/proc/self/status', 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  expect(kilobytes('RssFile')).toBeGreaterThan(10_000);
  expect(await takenBytes(process.pid)).toBeLessThan((kilobytes('VmRSS') - 10_000) * 1024);
  expect(await takenBytes(process.pid)).toBeGreaterThan(10_000 * 1024);
});

test('a process that is gone has taken nothing', async () => {
  expect(await takenBytes(2 ** 22 + 1)).toBe(0);
});
