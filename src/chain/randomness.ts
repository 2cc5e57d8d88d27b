/**
 * Randomness as the chain draws it, for one purpose, epoch and miner (lotus `chain/rand/rand.go` DrawRandomnessFromDigest): sectors of
 * a miner that share an epoch share their ticket.
 */
import { blake2b } from '@noble/hashes/blake2.js';

/** Domain separation tags (go-state-types `crypto/randomness.go`). */
export const TAG = { ticket: 5, seed: 6 } as const;

/**
 * @param digest BLAKE2b-256 of what the chain's ticket or beacon entry at that epoch is made of, 32 bytes
 * @returns 32 bytes
 */
export function drawRandomness(
  digest: Uint8Array,
  { tag, epoch, entropy }: { tag: number; epoch: number; entropy: Uint8Array },
): Uint8Array {
  return blake2b
    .create({ dkLen: 32 })
    .update(bigEndian(BigInt(tag)))
    .update(digest)
    .update(bigEndian(BigInt(epoch)))
    .update(entropy)
    .digest();
}

/** The CBOR byte string of the miner's ID address: what makes draws of miners differ. @param miner actor ID in decimal */
export function entropyOf(miner: string): Uint8Array {
  const address = [0, ...leb128(BigInt(miner))];
  // A byte string shorter than 24 bytes has its length in its first byte (RFC 8949 section 3).
  return Uint8Array.from([0x40 + address.length, ...address]);
}

function leb128(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest < 0x80n) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function bigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}
