/** A look into large files: a copy of which a part is wrong is noticed without reading all of it. */
import { randomInt } from 'node:crypto';
import { readPlaces } from '../mounts/remote-fs.js';

/** Places that are compared, and bytes of each: where one per cent of a file is wrong, nine of ten looks notice. */
const PLACES = 256;
const LENGTH = 65_536;

/**
 * Whether two files of `size` bytes are the same at places that nobody could know before.
 * @throws errors of the file system; a file that ends before is not the same
 */
export async function sameAtRandom(a: string, b: string, size: number): Promise<boolean> {
  const length = Math.min(LENGTH, size);
  const places = size <= PLACES * LENGTH ? everywhere(size, length) : anywhere(size, length);
  const [ofA, ofB] = await Promise.all([readPlaces(a, places, length), readPlaces(b, places, length)]);
  return ofA.length > 0 && ofA.equals(ofB);
}

const everywhere = (size: number, length: number): number[] =>
  Array.from({ length: Math.ceil(size / length) }, (_, i) => Math.min(i * length, size - length));

/** Upwards, as disks like it. */
const anywhere = (size: number, length: number): number[] =>
  Array.from({ length: PLACES }, () => randomInt(size - length + 1)).sort((a, b) => a - b);
