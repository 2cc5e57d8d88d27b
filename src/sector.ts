/** A sector's identity and its names. Imports nothing; usable in workflows. */

export interface SectorId {
  /** Actor ID of the miner, as a decimal string: `1000` of `t01000`. */
  readonly miner: string;
  /** Sector number within the miner. */
  readonly number: number;
}

const SECTOR = /^[tf]0(0|[1-9][0-9]{0,18})\/(0|[1-9][0-9]{0,15})$/;

/**
 * Reads `t01000/7` or `f01000/7`.
 * @returns undefined when the text is neither.
 */
export function parseSector(text: string): SectorId | undefined {
  const match = SECTOR.exec(text);
  if (!match?.[1] || match[2] === undefined) return undefined;
  const number = Number(match[2]);
  return Number.isSafeInteger(number) ? { miner: match[1], number } : undefined;
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

/** `t01000`. */
export const minerName = (sector: SectorId): string => `t0${sector.miner}`;
