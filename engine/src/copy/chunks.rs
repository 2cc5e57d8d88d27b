//! The size of a copy's chunks, and how many of them are in flight.

/// Chunks in flight: one read, one hashed, one written, one waiting.
pub const IN_FLIGHT: usize = 4;
/// Under a rate limit, a chunk is what may be copied in this time. Smaller chunks would let a storage node with a high
/// latency per write slow the copy down; with larger ones the chunks in flight at the end of a stall would be a burst.
const CHUNK_MS: u64 = 40;

/// The size of a chunk in bytes under a rate limit.
pub fn chunk_bytes(bytes_per_sec: u64) -> usize {
    usize::try_from(bytes_per_sec.div_ceil(1000).saturating_mul(CHUNK_MS)).unwrap_or(usize::MAX)
}
