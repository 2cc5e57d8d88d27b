/** A sector's identity and its names. Imports nothing; usable in workflows. */

export interface SectorId {
  /** Actor ID of the miner, as a decimal string: `1000` of `t01000`. */
  readonly miner: string;
  /** Sector number within the miner. */
  readonly number: number;
}

/** Actor IDs are signed 64 bit numbers (go-address refuses larger ones): no chain has others. */
const MAX_MINER = '9223372036854775807';
/** Chains allow sector numbers up to 2^63 - 1; beyond this one JavaScript's numbers skip some. */
const MAX_NUMBER = '9007199254740991';

const SECTOR = /^[tf]0(0|[1-9][0-9]*)\/(0|[1-9][0-9]*)$/;

/** Of decimal numbers without leading zeros. */
const isAbove = (a: string, b: string): boolean => a.length > b.length || (a.length === b.length && a > b);

/**
 * Reads `t01000/7` or `f01000/7`.
 * @returns undefined when the text is neither, or {@link boundOf} tells that a number is too large.
 */
export function parseSector(text: string): SectorId | undefined {
  const [, miner, number] = SECTOR.exec(text) ?? [];
  if (miner === undefined || number === undefined || boundOf(text) !== undefined) return undefined;
  return { miner, number: Number(number) };
}

/** @returns the bound that a number exceeds, as a sentence; undefined when none does, or the text has another form */
export function boundOf(text: string): string | undefined {
  const [, miner, number] = SECTOR.exec(text) ?? [];
  if (miner !== undefined && isAbove(miner, MAX_MINER))
    return `No chain has an actor ID above ${MAX_MINER} (2^63 - 1).`;
  if (number !== undefined && isAbove(number, MAX_NUMBER))
    return `sealflow takes sector numbers up to ${MAX_NUMBER} (2^53 - 1).`;
  return undefined;
}

/** Like {@link parseSector}, for text that was checked before. */
export function sectorOf(text: string): SectorId {
  const sector = parseSector(text);
  if (!sector) throw new TypeError(`not a sector: ${text}`);
  return sector;
}

/** `t01000/7`: the one form in inputs, files and messages. */
export const sectorName = (sector: SectorId): string => `t0${sector.miner}/${sector.number}`;

/** `s-t01000-7`: the name that lotus, curio and venus give its files, on mainnet too. */
export const sectorFileName = (sector: SectorId): string => `s-t0${sector.miner}-${sector.number}`;

/** Reads `s-t01000-7`. @returns undefined when the text is another. */
export function parseSectorFileName(name: string): SectorId | undefined {
  const [, miner, number] = /^s-(t0[0-9]+)-([0-9]+)$/.exec(name) ?? [];
  return miner === undefined ? undefined : parseSector(`${miner}/${number}`);
}

/** Order by miner, then by number. Miners' IDs can be longer than a number is exact. */
export const bySector = (a: SectorId, b: SectorId): number =>
  a.miner === b.miner ? a.number - b.number : isAbove(a.miner, b.miner) ? 1 : -1;

/** `t01000`. */
export const minerName = (sector: SectorId): string => `t0${sector.miner}`;
