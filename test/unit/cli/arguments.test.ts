/** How commands read sectors: each form of a name, ranges, files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseSectors, rangesOf } from '../../../src/cli/arguments.js';
import { sectorName, sectorOf } from '../../../src/sector.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const names = (...texts: string[]): string[] =>
  texts
    .reduce<ReturnType<typeof parseSectors>>((before, text) => parseSectors(text, before), [])
    .map(sectorName);

describe('sectors', () => {
  test.each([
    ['t01000/7', ['t01000/7']],
    ['f01000/7', ['t01000/7']],
    ['s-t01000-7', ['t01000/7']],
    ['f01000/7-9', ['t01000/7', 't01000/8', 't01000/9']],
    ['t01000/7-7', ['t01000/7']],
    ['t01000/9007199254740990-9007199254740991', ['t01000/9007199254740990', 't01000/9007199254740991']],
  ])('%s are read', (text, sectors) => {
    expect(names(text)).toEqual(sectors);
  });

  test('are taken once, however often they are named', () => {
    expect(names('t01000/8', 't01000/7-9', 's-t01000-7')).toEqual(['t01000/8', 't01000/7', 't01000/9']);
  });

  test.each([
    ['t01000', 'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.'],
    ['s-t01000-7-9', 'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.'],
    ['t01000/9-7', 'The range must be ascending and contain at most 100000 sectors.'],
    ['t01000/1-100001', 'The range must be ascending and contain at most 100000 sectors.'],
    ['t09223372036854775808/1', 'No chain has an actor ID above 9223372036854775807 (2^63 - 1).'],
    ['t01000/9007199254740992', 'sealflow takes sector numbers up to 9007199254740991 (2^53 - 1).'],
    // Nothing of a range is started if a part of it cannot be.
    [
      't01000/9007199254740990-9007199254740993',
      'sealflow takes sector numbers up to 9007199254740991 (2^53 - 1).',
    ],
  ])('%s are refused with the reason', (text, reason) => {
    expect(() => parseSectors(text)).toThrow(new InvalidArgumentError(reason));
  });

  test('are told as ranges, as commands take them', () => {
    const sectors = ['t01000/10', 't0999/4', 't01000/2', 't01000/1', 't01000/3'].map(sectorOf);
    expect(rangesOf(sectors)).toBe('t0999/4 t01000/1-3 t01000/10');
    const odd = Array.from({ length: 12 }, (_, i) => sectorOf(`t01000/${2 * i}`));
    expect(rangesOf(odd)).toMatch(/^t01000\/0 .* t01000\/18 and 2 more ranges$/);
  });
});

describe('a file of sectors', () => {
  let file: string;
  beforeEach(async () => {
    file = join(await temporaryDirectory(), 'sectors');
  });

  test('has a name or a range per line, and remarks', async () => {
    await writeFile(file, '# of today\n t01000/7\r\n\ns-t01000-9\nt01000/1-2\nt01000/7\n');
    expect(names(`@${file}`)).toEqual(['t01000/7', 't01000/9', 't01000/1', 't01000/2']);
  });

  test('is refused with its line if one is wrong', async () => {
    await writeFile(file, 't01000/7\nt01000/x\n');
    expect(() => parseSectors(`@${file}`)).toThrow(
      `${file}:2: t01000/x: A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.`,
    );
  });

  test('is refused if it is not there', () => {
    expect(() => parseSectors(`@${file}`)).toThrow(/^It cannot be read: ENOENT/);
  });
});
