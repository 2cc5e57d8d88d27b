/** Arguments and options that several commands take. */
import { InvalidArgumentError, Option } from 'commander';
import { minerName, parseSector, sectorName, type SectorId } from '../sector.js';

const MAX_SECTORS = 100_000;

/** Parses the argument `t01000/7` or a range `t01000/1-500`, and appends it to `before`. */
export function parseSectors(text: string, before: SectorId[] = []): SectorId[] {
  const [, first = '', last] = /^(.+?\/[0-9]+)(?:-([0-9]+))?$/.exec(text) ?? [];
  const sector = parseSector(first);
  if (!sector) throw new InvalidArgumentError('A sector looks like t01000/7, a range like t01000/1-500.');
  const to = last === undefined ? sector.number : Number(last);
  if (to < sector.number || to - sector.number >= MAX_SECTORS) {
    throw new InvalidArgumentError(`The range must be ascending and contain at most ${MAX_SECTORS} sectors.`);
  }
  const range = Array.from({ length: to - sector.number + 1 }, (_, i) => ({
    ...sector,
    number: sector.number + i,
  }));
  return [...before, ...range];
}

/** `t01000/1 … t01000/500 (500 sectors)`, for messages. */
export const shortList = (sectors: readonly SectorId[]): string => {
  const [first, last] = [sectors[0], sectors.at(-1)];
  if (!first || !last || first === last) return first ? sectorName(first) : 'none';
  return `${sectorName(first)} … ${minerName(last)}/${last.number} (${sectors.length} sectors)`;
};

export function parseHex32(text: string): string {
  const hex = text.toLowerCase().replace(/^0x/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new InvalidArgumentError('It must be 32 bytes as 64 hex digits.');
  return hex;
}

export function parseCount(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

export function parsePositive(text: string): number {
  const number = parseCount(text);
  if (number === 0) throw new InvalidArgumentError('It must be a whole number above 0.');
  return number;
}

/** Hidden: for tests, which cannot wait as long as real sectors do. */
export const timeScaleOption = (): Option =>
  new Option('--time-scale <factor>', 'scale all times (tests)').hideHelp().argParser((text) => {
    const scale = Number(text);
    if (!(scale > 0 && scale <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
    return scale;
  });
