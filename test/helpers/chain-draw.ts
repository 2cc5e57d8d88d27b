/** What a chain of a test draws and writes, without sealflow's own code. */
import { blake2b } from '@noble/hashes/blake2.js';

/** A bit field in Lotus' JSON: lengths of runs, of zeros first. */
export function runsOf(numbers: readonly number[]): number[] {
  const runs = [0];
  for (let at = 0; at <= Math.max(-1, ...numbers); at++) {
    const isRunOfOnes = runs.length % 2 === 0;
    if (numbers.includes(at) !== isRunOfOnes) runs.push(0);
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
  }
  return runs;
}

export const hash = (...parts: Uint8Array[]): Uint8Array => blake2b(Buffer.concat(parts), { dkLen: 32 });

export function drawn(digest: Uint8Array, tag: number, epoch: number, entropy: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigInt64BE(BigInt(tag));
  const at = Buffer.alloc(8);
  at.writeBigInt64BE(BigInt(epoch));
  return hash(head, digest, at, entropy);
}

/** Of miners whose ID fits two bytes of LEB128, as those of tests do. */
export function entropyOf(miner: string): Uint8Array {
  const id = Number(miner);
  if (id < 128 || id >= 16_384) throw new Error(`t0${miner} is no miner of a test`);
  return Uint8Array.from([0x43, 0, (id & 0x7f) | 0x80, id >> 7]);
}
