import { describe, expect, test } from 'vitest';
import { judgeCores } from '../../../src/doctor/checks/cores.js';
import { cores } from '../../helpers/topology.js';
import { config } from './samples.js';

const ok = (found: string) => ({ result: 'ok', found, wanted: '', hint: '' });

describe('cores', () => {
  const wide = config({ pools: [[1, 'P2', 'P3']] });

  const both = (p1: number, more = '') =>
    config({
      pools: [
        [p1, 'P1'],
        [1, 'P2', 'P3'],
      ],
      more,
    });

  test('are shown as a map', () => {
    expect(judgeCores(wide, cores(4))).toEqual(ok('2 of 4 for P2 and P3 (2-3)'));
    expect(judgeCores(both(2), cores(6))).toEqual(
      ok('2 of 6 for P2 and P3 (4-5); 2 for all P1 (2-3), 1 for each'),
    );
    expect(judgeCores(both(3), cores(16))).toEqual(
      ok('8 of 16 for P2 and P3 (8-15); 2 for each P1 (2-3 4-5 6-7)'),
    );
    expect(judgeCores(config(), cores(1))).toEqual(ok('1, no P2 or P3; P1 on any, 1 for each'));
    expect(judgeCores(config({ pools: [[2, 'P1']] }), cores(8))).toEqual(
      ok('8, no P2 or P3; 4 for each P1 (0-3 4-7)'),
    );
  });

  test('fail when none is left', () => {
    expect(judgeCores(wide, cores(2))).toEqual({
      result: 'fail',
      found: 'engine.reserved_cores = 2 leaves no core for P2 and P3: this host has 2',
      wanted: 'cores for all that this config serves at once',
      hint: 'set it to 1 or less, or serve P2 and P3 on another host',
    });
  });

  test('fail when those of each P1 do not fit', () => {
    const host = both(3);
    host.engine.p1_cores_per_sector = 4;
    expect(judgeCores(host, cores(12))).toEqual({
      result: 'fail',
      found:
        'engine.p1_cores_per_sector = 4 for 3 P1 at once: this host has room for 2 (the cores of each share an L3 cache, and none is reserved or used by P2 and P3)',
      wanted: 'cores for all that this config serves at once',
      hint: 'set p1_cores_per_sector to 3, or num of the pools with P1 to 2 in all',
    });
  });
});
