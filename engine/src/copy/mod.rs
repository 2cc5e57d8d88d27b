//! Copying to a storage node.

pub mod cache_dropper;
pub mod chunks;
pub mod direct;
pub mod rate_limiter;
mod schedule;
pub mod shared_limiter;
pub mod staging;
