/** Compares large files by samples: detects a copy that is partly wrong without reading all of it. */
import { randomInt } from 'node:crypto';
import { readRanges } from '../mounts/remote-fs.js';

/** Number of samples, and bytes of each: if 1 % of a file is wrong, nine of ten comparisons detect it. */
const SAMPLES = 256;
const LENGTH = 65_536;

/**
 * Whether two files of `size` bytes are equal at random offsets; files small enough are compared in full.
 * @returns false if a file is shorter
 * @throws errors of the file system
 */
export async function sameAtRandom(a: string, b: string, size: number): Promise<boolean> {
  const length = Math.min(LENGTH, size);
  const offsets = size <= SAMPLES * LENGTH ? allOffsets(size, length) : randomOffsets(size, length);
  const [ofA, ofB] = await Promise.all([readRanges(a, offsets, length), readRanges(b, offsets, length)]);
  return ofA.length > 0 && ofA.equals(ofB);
}

const allOffsets = (size: number, length: number): number[] =>
  Array.from({ length: Math.ceil(size / length) }, (_, i) => Math.min(i * length, size - length));

/** Ascending, so that disks seek in one direction. */
const randomOffsets = (size: number, length: number): number[] =>
  Array.from({ length: SAMPLES }, () => randomInt(size - length + 1)).sort((a, b) => a - b);
