import { describe, expect, test } from 'vitest';
import {
  minerName,
  parseSector,
  parseSectorFileName,
  sectorFileName,
  sectorName,
  sectorOf,
} from '../../src/sector.js';

describe('a sector', () => {
  test.each([
    ['t01000/7', { miner: '1000', number: 7 }],
    ['f01000/7', { miner: '1000', number: 7 }],
    ['t01000/0', { miner: '1000', number: 0 }],
    ['t00/1', { miner: '0', number: 1 }],
    ['t09223372036854775807/1', { miner: '9223372036854775807', number: 1 }],
    ['t01000/9007199254740991', { miner: '1000', number: 2 ** 53 - 1 }],
  ])('%s is read', (text, sector) => {
    expect(parseSector(text)).toEqual(sector);
  });

  test.each([
    '',
    't01000',
    't01000/',
    '/7',
    '1000/7',
    't1000/7',
    't001000/7',
    'T01000/7',
    't01000/07',
    't01000/-7',
    't01000/7.5',
    't01000/7/8',
    't01000/7 ',
    ' t01000/7',
    't01000/7\n',
    't01000/../7',
    't01000/1e3',
    't01000/9007199254740992',
    't3abc/7',
    's-t01000-7',
  ])('%j is none', (text) => {
    expect(parseSector(text)).toBeUndefined();
    expect(() => sectorOf(text)).toThrow(TypeError);
  });

  test('has the same names whether it is written with t or f', () => {
    for (const text of ['t01000/7', 'f01000/7']) {
      const sector = sectorOf(text);
      expect(sectorName(sector)).toBe('t01000/7');
      expect(sectorFileName(sector)).toBe('s-t01000-7');
      expect(minerName(sector)).toBe('t01000');
    }
  });

  test('is known by the name of its files, and by no other', () => {
    expect(parseSectorFileName('s-t01000-7')).toEqual({ miner: '1000', number: 7 });
    for (const name of [
      's-f01000-7',
      's-t01000-07',
      's-t01000-',
      's-t01000-7.json',
      'x-s-t01000-7',
      '',
      '..',
    ])
      expect(parseSectorFileName(name)).toBeUndefined();
  });
});
