//! How large the pieces of a copy are, and how many of them are under way.

/// Chunks in flight: one read, one hashed, one written, one waiting.
pub const IN_FLIGHT: usize = 4;
/// Under a limit a chunk is what goes in so many milliseconds. With less, a storage node that is slow to take each write holds
/// the copy up; with more, the chunks in flight at the end of a stall make a burst.
const CHUNK_MS: u64 = 40;

pub fn chunk_of(bytes_per_sec: u64) -> usize {
    usize::try_from(bytes_per_sec.div_ceil(1000).saturating_mul(CHUNK_MS)).unwrap_or(usize::MAX)
}
