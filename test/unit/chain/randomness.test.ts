import { expect, test } from 'vitest';
import { drawRandomness, entropyOf } from '../../../src/chain/randomness.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** BLAKE2b-256 of "base". */
const DIGEST = Buffer.from('def611faa1c7ab4168a846e9f917cb7ba6550396dcce46dc6a47958bf92e157f', 'hex');

// Made with Go (golang.org/x/crypto/blake2b, encoding/binary) from the same digest, in the order of lotus' DrawRandomnessFromDigest.
test.each([
  ['1000', 5, 4_100_000, '4300e807', '59923410799d22479696f212df6716fc957e31172b7826ab0d1f960f3d7bf08c'],
  ['1000', 6, 4_100_150, '4300e807', '86ee25711a0a1ff5b178ec78094d2938907fddc54c3ac38f94fd1e3f11c5fd22'],
  ['127', 5, 1, '42007f', 'aa9f8389aeeca7233d5d5bae56942f5e66bff9b4644e6f81f60ee78de9a5821a'],
  ['128', 5, 1, '43008001', '5e190a6aa2ab74957515da3e85b5f78b507a17154f0f2b7bdb67ab8970a52fa4'],
  [
    '3644166',
    6,
    5_000_000,
    '450086b6de01',
    '043db4fc85bbc3fba86c26b2dc1240688eada41af403675496988e93e99b6ad5',
  ],
  [
    '9223372036854775807',
    5,
    12_345,
    '4a00ffffffffffffffff7f',
    'e99cb8af6be5a7a398f2525ed6bf882e560094ceb40297cf78c5edadf9ac206d',
  ],
])('for miner %s, tag %i and epoch %i it is what Go draws', (miner, tag, epoch, entropy, expected) => {
  expect(hex(entropyOf(miner))).toBe(entropy);
  expect(hex(drawRandomness(DIGEST, { tag, epoch, entropy: entropyOf(miner) }))).toBe(expected);
});
