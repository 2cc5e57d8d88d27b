/** Arguments and options that several commands take. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import {
  boundOf,
  bySector,
  minerName,
  parseSector,
  parseSectorFileName,
  sectorName,
  type SectorId,
} from '../sector.js';

const MAX_SECTORS = 100_000;

/** For the help of each command that takes sectors. */
export const SECTORS = 'like t01000/7, s-t01000-7, t01000/1-500, or @file with one of these per line';

/** Parses an argument of {@link SECTORS}, and appends its sectors to `before`, each once. */
export function parseSectors(text: string, before: SectorId[] = []): SectorId[] {
  const found = text.startsWith('@')
    ? linesOf(text).flatMap(({ line, at }) => inLine(at, line))
    : rangeOf(text);
  const known = new Set(before.map(sectorName));
  return [
    ...before,
    ...found.filter((sector) => !known.has(sectorName(sector)) && known.add(sectorName(sector))),
  ];
}

/** What `start` takes: sectors; or, with `--count`, a miner, from whose number on sectors are taken. */
export interface Targets {
  sectors: SectorId[];
  /** Each from 0 on. */
  miners: SectorId[];
}

/** Parses an argument of {@link SECTORS}, or a miner, and appends it to `before`. */
export function parseTargets(text: string, before?: Targets): Targets {
  const { sectors = [], miners = [] } = before ?? {};
  if (!/^[tf]0[0-9]+$/.test(text)) return { sectors: parseSectors(text, sectors), miners };
  return { sectors, miners: [...miners, parseOneSector(`${text}/0`)] };
}

/** Reads one name, in any of its forms. */
export function parseOneSector(text: string): SectorId {
  const sector = parseSector(text) ?? parseSectorFileName(text);
  if (sector) return sector;
  throw new InvalidArgumentError(
    boundOf(text) ?? 'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.',
  );
}

function rangeOf(text: string): SectorId[] {
  const [, first = text, to] = /^([tf].+\/[0-9]+)-([0-9]+)$/.exec(text) ?? [];
  const sector = parseOneSector(first);
  if (to === undefined) return [sector];
  const last = parseOneSector(`${minerName(sector)}/${to}`);
  if (last.number < sector.number || last.number - sector.number >= MAX_SECTORS) {
    throw new InvalidArgumentError(`The range must be ascending and contain at most ${MAX_SECTORS} sectors.`);
  }
  return Array.from({ length: last.number - sector.number + 1 }, (_, i) => ({
    ...sector,
    number: sector.number + i,
  }));
}

interface Line {
  line: string;
  /** `FILE:3`, for messages. */
  at: string;
}

/** The lines of `@file`, without those that are empty or begin with `#`. */
export function linesOf(text: string): Line[] {
  const file = text.slice(1);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${(error as Error).message}`);
  }
  const lines = content.split('\n').map((line, i) => ({ line: line.trim(), at: `${file}:${i + 1}` }));
  return lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
}

function inLine(at: string, line: string): SectorId[] {
  try {
    return rangeOf(line);
  } catch (error) {
    throw new InvalidArgumentError(`${at}: ${line}: ${(error as Error).message}`);
  }
}

const SHOWN_RANGES = 10;

/** `t01000/1-3 t01000/7`: in order, as commands take them. */
export function rangesOf(sectors: readonly SectorId[]): string {
  const ranges: { first: SectorId; last: SectorId }[] = [];
  for (const sector of sectors.toSorted(bySector)) {
    const range = ranges.at(-1);
    if (range && range.last.miner === sector.miner && range.last.number + 1 === sector.number)
      range.last = sector;
    else ranges.push({ first: sector, last: sector });
  }
  const shown = ranges
    .slice(0, SHOWN_RANGES)
    .map(({ first, last }) => (first === last ? sectorName(first) : `${sectorName(first)}-${last.number}`));
  const rest = ranges.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more ranges`] : [])].join(' ');
}

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

/** How many sectors: as many as a range may have. */
export function parseSectorCount(text: string): number {
  const count = parsePositive(text);
  if (count > MAX_SECTORS) throw new InvalidArgumentError(`It must be at most ${MAX_SECTORS}.`);
  return count;
}

/** Hidden: for tests, which cannot wait as long as real sectors do. */
export const timeScaleOption = (): Option =>
  new Option('--time-scale <factor>', 'scale all times (tests)').hideHelp().argParser((text) => {
    const scale = Number(text);
    if (!(scale > 0 && scale <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
    return scale;
  });
