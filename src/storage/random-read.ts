/** A look into large files: a copy that is not what it should be nearly everywhere is noticed without reading all of it. */
import { randomInt } from 'node:crypto';
import { readAt } from '../mounts/remote-fs.js';

/** Bytes that one look compares. */
const LOOK = 2 ** 20;

/**
 * Whether two files of `size` bytes are the same at a place that nobody could know before.
 * @throws errors of the file system; a file that ends before is not the same
 */
export async function sameAtRandom(a: string, b: string, size: number): Promise<boolean> {
  const length = Math.min(LOOK, size);
  // randomInt() takes ranges below 2^48 bytes.
  const offset = randomInt(size - length + 1);
  const [ofA, ofB] = await Promise.all([readAt(a, offset, length), readAt(b, offset, length)]);
  return ofA.length === length && ofA.equals(ofB);
}
