import { describe, expect, test } from 'vitest';
import type { PoolConfig } from '../../../src/config.js';
import type { PhaseId } from '../../../src/phases.js';
import { allowedCpus, divideCores, p1Beside, parseCpuList } from '../../../src/workers/cores.js';

const pool = (slots: number, ...phases: PhaseId[]): PoolConfig => ({ slots, phases, waitMs: 1 });
const upTo = (n: number, from = 0): number[] => Array.from({ length: n - from }, (_, i) => from + i);
const config = (pools: PoolConfig[], reserved_cores = 2, p1_cores?: number) => ({
  pools,
  engine: { reserved_cores, environment: {}, ...(p1_cores !== undefined && { p1_cores }) },
});

test.each([
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['5', [5]],
])('CPU list %s', (list, cpus) => {
  expect(parseCpuList(list)).toEqual(cpus);
});

test('this process may run on at least one CPU', () => {
  expect(allowedCpus().length).toBeGreaterThan(0);
});

describe('number of P1 that may run beside P2', () => {
  test.each([
    [[pool(1, 'P1', 'P2', 'P3', 'P4')], 0],
    [[pool(3, 'P1', 'P2')], 2],
    [[pool(10, 'P1'), pool(1, 'P2', 'P3')], 10],
    [[pool(1, 'P2', 'P3')], 0],
  ])('%j: %d', (pools, count) => {
    expect(p1Beside({ pools })).toBe(count);
  });
});

describe('cores', () => {
  test('are not divided if neither P2 nor P3 is served', () => {
    expect(divideCores(config([pool(10, 'P1'), pool(2, 'P5', 'P6')]), upTo(8))).toEqual({});
  });

  test('go to P2 and P3 except the reserved ones, also in a container’s cpuset', () => {
    expect(divideCores(config([pool(1, 'P2', 'P3')]), [4, 5, 6, 7])).toEqual({ P2: [6, 7], P3: [6, 7] });
  });

  test('are divided if P1 runs beside P2: one per P1, at most half', () => {
    const pools = [pool(3, 'P1'), pool(1, 'P2', 'P3')];
    const many = divideCores(config(pools), upTo(16));
    expect(many).toEqual({ P1: [2, 3, 4], P2: upTo(16, 5), P3: upTo(16, 5) });
    const few = divideCores(config(pools), upTo(6));
    expect(few).toEqual({ P1: [2, 3], P2: [4, 5], P3: [4, 5] });
    const one = divideCores(config(pools), upTo(3));
    expect(one).toEqual({ P2: [2], P3: [2] });
  });

  test('are divided by p1_cores if set', () => {
    const pools = [pool(10, 'P1'), pool(1, 'P2')];
    expect(divideCores(config(pools, 1, 5), upTo(8)).P1).toEqual([1, 2, 3, 4, 5]);
    expect(divideCores(config(pools, 1, 0), upTo(8))).toEqual({ P2: upTo(8, 1), P3: upTo(8, 1) });
    // No P1 runs beside P2 here.
    expect(divideCores(config([pool(1, 'P1', 'P2')], 1, 5), upTo(8)).P1).toBeUndefined();
  });

  test.each([
    [config([pool(1, 'P2')], 8), /^engine.reserved_cores = 8 leaves no core for P2 and P3: this host has 8$/],
    [config([pool(2, 'P1'), pool(1, 'P2')], 2, 6), /reserved_cores = 2 and p1_cores = 6 leaves no core/],
  ])('are refused if none is left for P2: case %#', (refused, message) => {
    expect(() => divideCores(refused, upTo(8))).toThrow(message);
  });
});
