import { describe, expect, test } from 'vitest';
import {
  boundOf,
  bySector,
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
    't09223372036854775808/1',
    't018446744073709551616/1',
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

  test('has numbers that a chain can have, and sealflow can count', () => {
    expect(boundOf('t09223372036854775808/1')).toBe(
      'No chain has an actor ID above 9223372036854775807 (2^63 - 1).',
    );
    expect(boundOf('t01000/9007199254740992')).toBe(
      'sealflow takes sector numbers up to 9007199254740991 (2^53 - 1).',
    );
    for (const text of ['t09223372036854775807/9007199254740991', 'x', 's-t01000-7'])
      expect(boundOf(text)).toBeUndefined();
  });

  test('comes in the order of its numbers', () => {
    const names = ['t01000/10', 't0999/3', 't01000/2', 't09223372036854775807/0', 't09223372036854775806/1'];
    expect(names.map(sectorOf).sort(bySector).map(sectorName)).toEqual([
      't0999/3',
      't01000/2',
      't01000/10',
      't09223372036854775806/1',
      't09223372036854775807/0',
    ]);
  });
});
