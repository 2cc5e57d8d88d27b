//! Versions of the protocol (docs/engine-protocol.md).

/// The version that this engine writes.
pub const PROTOCOL: u64 = 1;

/// Whether this engine can read version `v`. It reads its own version and the previous one, as hosts are upgraded one
/// by one.
pub fn is_supported(v: u64) -> bool {
    v == PROTOCOL || v + 1 == PROTOCOL
}
