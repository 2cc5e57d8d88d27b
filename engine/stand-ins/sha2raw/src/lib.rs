//! Stands in for the crate `sha2raw` (`[patch.crates-io]` in the engine's Cargo.toml), with which the library computes the
//! labels of a single core, and checks labels in proofs.
//!
//! The original is several times slower than the processor: its function does not say that it is for a processor with SHA
//! extensions (`#[target_feature]`), so in a build for any processor each of its instructions becomes a call of a function
//! with its operands in memory. The crate `sha2` does say so. The digests are the same.

use sha2::digest::generic_array::{typenum::U64, GenericArray};

type Block = GenericArray<u8, U64>;

/// Half a block: the length of a label, and of each slice of an input.
const HALF: usize = 32;
/// Blocks that are hashed at once: the parents of a node, of which there are 14.
const AT_ONCE: usize = 7;

const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 of an input that comes in whole blocks, of two halves each, or ends with half a block.
#[derive(Clone, Debug)]
pub struct Sha256 {
    bits: u64,
    state: [u32; 8],
}

impl Default for Sha256 {
    fn default() -> Self {
        Sha256 { bits: 0, state: INITIAL_STATE }
    }
}

impl Sha256 {
    pub fn new() -> Self {
        Sha256::default()
    }

    /// The digest of these halves, of which there must be an even number.
    pub fn digest(halves: &[&[u8]]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.input(halves);
        hasher.finish()
    }

    /// Adds an even number of slices of 32 bytes.
    #[inline]
    pub fn input(&mut self, halves: &[&[u8]]) {
        assert_eq!(halves.len() % 2, 0, "an odd number of halves");
        self.bits += (halves.len() * HALF * 8) as u64;
        for some in halves.chunks(2 * AT_ONCE) {
            let mut blocks = [Block::default(); AT_ONCE];
            for (block, pair) in blocks.iter_mut().zip(some.chunks_exact(2)) {
                block[..HALF].copy_from_slice(pair[0]);
                block[HALF..].copy_from_slice(pair[1]);
            }
            sha2::compress256(&mut self.state, &blocks[..some.len() / 2]);
        }
    }

    pub fn finish(self) -> [u8; 32] {
        let mut first = [0; HALF];
        first[0] = 0x80;
        let bits = self.bits;
        self.end(&first, [0; HALF], bits)
    }

    /// Adds the last 32 bytes.
    pub fn finish_with(self, half: &[u8]) -> [u8; 32] {
        let mut second = [0; HALF];
        second[0] = 0x80;
        let bits = self.bits + (HALF * 8) as u64;
        self.end(half, second, bits)
    }

    fn end(mut self, first: &[u8], mut second: [u8; HALF], bits: u64) -> [u8; 32] {
        second[HALF - 8..].copy_from_slice(&bits.to_be_bytes());
        self.input(&[first, &second]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest;

    fn input(halves: usize) -> Vec<u8> {
        (0..halves * HALF).map(|i| (i * 7 + i / 256) as u8).collect()
    }

    #[test]
    fn digests_are_those_of_sha2() {
        for halves in 0..40 {
            let bytes = input(halves);
            let slices: Vec<&[u8]> = bytes.chunks(HALF).collect();
            let (whole, rest) = slices.split_at(halves / 2 * 2);
            let mut hasher = Sha256::new();
            hasher.input(whole);
            let digest = rest.first().map_or_else(|| hasher.clone().finish(), |half| hasher.clone().finish_with(half));
            assert_eq!(digest[..], sha2::Sha256::digest(&bytes)[..], "{halves}");
        }
    }

    #[test]
    #[should_panic(expected = "an odd number of halves")]
    fn half_a_block_is_refused() {
        Sha256::new().input(&[&[0; HALF]]);
    }
}
