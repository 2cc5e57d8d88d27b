//! Copying to a storage node.

pub mod direct;
pub mod drain;
pub mod pace;
mod schedule;
pub mod shared;
pub mod target;
