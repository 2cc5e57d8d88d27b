//! Copying to a storage node.

pub mod cache_dropper;
pub mod chunks;
pub mod direct;
pub mod pace;
mod schedule;
pub mod shared;
pub mod target;
