import { describe, expect, test } from 'vitest';
import type { PoolConfig } from '../../../src/config.js';
import type { Topology } from '../../../src/machine/topology.js';
import type { PhaseId } from '../../../src/phases.js';
import { p1Beside, planCores, type CoreConfig } from '../../../src/workers/cores.js';
import { pinsOf } from '../../../src/workers/seats.js';
import { cores } from '../../helpers/topology.js';

const pool = (slots: number, ...phases: PhaseId[]): PoolConfig => ({ slots, phases, waitMs: 1 });
const upTo = (n: number, from = 0): number[] => Array.from({ length: n - from }, (_, i) => from + i);
const config = (pools: PoolConfig[], engine: Partial<CoreConfig['engine']> = {}): CoreConfig => ({
  pools,
  engine: { reserved_cores: 2, environment: {}, ...engine },
});

/** The plan with each seat's pins. */
function plan(pools: PoolConfig[], topology: Topology, engine: Partial<CoreConfig['engine']> = {}) {
  const { seats, p1, wide, producers } = planCores(config(pools, engine), topology);
  return { seats: seats.map(pinsOf), p1, wide, producers };
}

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

describe('a host of P1', () => {
  test('gives each of them four cores of a cache, the emptiest cache first', () => {
    const { seats, p1, wide } = plan([pool(3, 'P1'), pool(2, 'P5')], cores(32, { caches: 4 }));
    expect(seats).toEqual([upTo(4), upTo(12, 8), upTo(20, 16)]);
    expect([p1, wide]).toEqual([undefined, undefined]);
  });

  test.each([
    ['eight cores, one cache, two P1', 2, cores(8), [4, 4]],
    ['eight cores, one cache, three P1', 3, cores(8), [2, 2, 2]],
    ['eight cores, nine P1', 9, cores(8), []],
    ['two cores, one P1', 1, cores(2), [2]],
    ['two cores, two P1', 2, cores(2), []],
    ['one core', 1, cores(1), []],
    ['caches of three cores', 2, cores(6, { caches: 2 }), [3, 3]],
    ['caches of one core', 2, cores(8, { caches: 8 }), []],
  ])('as many as there are: %s', (_, count, topology, sizes) => {
    expect(plan([pool(count, 'P1')], topology).seats.map(({ length }) => length)).toEqual(sizes);
  });

  test('counts hyperthreads once', () => {
    const topology = cores(8, { threads: 2 });
    expect(plan([pool(2, 'P1')], topology).seats).toEqual([upTo(4), upTo(8, 4)]);
    expect(plan([pool(3, 'P1')], topology).seats.map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  test('does as it is told', () => {
    expect(plan([pool(2, 'P1')], cores(8), { p1_cores_per_sector: 3 }).seats).toEqual([upTo(3), upTo(6, 3)]);
    expect(plan([pool(2, 'P1')], cores(8), { p1_cores_per_sector: 1 })).toEqual({
      seats: [],
      p1: undefined,
      wide: undefined,
      producers: 0,
    });
  });
});

describe('a host of P2 and P3', () => {
  test('leaves the reserved cores alone, also in a container’s cpuset', () => {
    const four = { allowed: [4, 5, 6, 7], groups: [[[4], [5], [6], [7]]] };
    expect(plan([pool(1, 'P2', 'P3')], four)).toMatchObject({ seats: [], wide: [6, 7] });
  });

  test('gives P1 beside them four cores each, or fewer: half of the cores at most', () => {
    const pools = [pool(3, 'P1'), pool(1, 'P2', 'P3')];
    expect(plan(pools, cores(32, { caches: 4 }))).toMatchObject({
      // Of the first cache two cores are reserved.
      seats: [upTo(12, 8), upTo(20, 16), upTo(28, 24)],
      wide: [...upTo(8, 2), ...upTo(16, 12), ...upTo(24, 20), ...upTo(32, 28)],
    });
    expect(plan(pools, cores(16))).toMatchObject({
      seats: [
        [2, 3],
        [4, 5],
        [6, 7],
      ],
      wide: upTo(16, 8),
    });
    expect(plan(pools, cores(6))).toEqual({ seats: [], p1: [2, 3], wide: [4, 5], producers: 0 });
    expect(plan(pools, cores(3))).toEqual({ seats: [], p1: undefined, wide: [2], producers: 0 });
  });

  test('gives nobody else the hyperthreads of P1', () => {
    const { seats, wide } = plan([pool(1, 'P1'), pool(1, 'P2')], cores(8, { threads: 2 }), {
      reserved_cores: 1,
    });
    // Core 0 is CPU 0, which is reserved, and CPU 8.
    expect(seats).toEqual([[1, 2, 3]]);
    expect(wide).toEqual([4, 5, 6, 7, 8, 12, 13, 14, 15]);
  });

  test('keeps to p1_cores', () => {
    const pools = [pool(10, 'P1'), pool(1, 'P2')];
    expect(plan(pools, cores(8), { reserved_cores: 1, p1_cores: 5 }).p1).toEqual([1, 2, 3, 4, 5]);
    const two = [pool(2, 'P1'), pool(1, 'P2')];
    expect(plan(two, cores(16), { p1_cores: 6 }).seats).toEqual([
      [2, 3, 4],
      [5, 6, 7],
    ]);
    expect(plan(two, cores(16), { p1_cores: 6, p1_cores_per_sector: 2 }).seats).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  test('lets P1 run anywhere if p1_cores is 0', () => {
    const anywhere = (count: number, cpus: number, engine = {}) =>
      plan([pool(count, 'P1'), pool(1, 'P2')], cores(cpus), { reserved_cores: 1, p1_cores: 0, ...engine });
    expect(anywhere(1, 8)).toEqual({ seats: [], p1: undefined, wide: upTo(8, 1), producers: 3 });
    expect(anywhere(3, 8).producers).toBe(1);
    expect(anywhere(10, 8).producers).toBe(0);
    expect(anywhere(10, 8, { p1_cores_per_sector: 2 }).producers).toBe(1);
  });

  test('lets a P1 that never runs beside them have the same cores', () => {
    const { seats, wide } = plan([pool(1, 'P1', 'P2')], cores(8), { reserved_cores: 1, p1_cores: 5 });
    expect(seats).toEqual([[1, 2, 3, 4]]);
    expect(wide).toEqual(upTo(8, 1));
  });
});

describe('a plan is refused', () => {
  const both = (count: number) => [pool(count, 'P1'), pool(1, 'P2')];
  test.each([
    [
      [pool(1, 'P2')],
      { reserved_cores: 8 },
      /^engine.reserved_cores = 8 leaves no core for P2 and P3: this host has 8$/,
    ],
    [both(2), { p1_cores: 6 }, /reserved_cores = 2 and p1_cores = 6 leaves no core/],
    [
      both(2),
      { p1_cores_per_sector: 4 },
      /^engine.p1_cores_per_sector = 4 for 2 P1 at once: this host has room for 1 /,
    ],
    [both(1), { p1_cores: 2, p1_cores_per_sector: 3 }, /room for 0 /],
    [[pool(3, 'P1')], { p1_cores_per_sector: 3 }, /for 3 P1 at once: this host has room for 2 /],
  ])('case %#', (pools, engine, message) => {
    expect(() => planCores(config(pools, engine), cores(8))).toThrow(message);
  });

  test('as no cache has so many cores', () => {
    const two = [pool(1, 'P1')];
    expect(() => planCores(config(two, { p1_cores_per_sector: 4 }), cores(6, { caches: 2 }))).toThrow(
      /room for 0 /,
    );
  });
});
