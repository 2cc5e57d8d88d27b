//! Versions of the protocol (docs/engine-protocol.md).

/// What this engine writes.
pub const PROTOCOL: u64 = 1;

/// Whether this engine understands what is of version `v`: its own, and the one before, as hosts are upgraded one by one.
pub fn readable(v: u64) -> bool {
    v == PROTOCOL || v + 1 == PROTOCOL
}
