//! Copying to a storage node.

pub mod direct;
pub mod pace;
pub mod target;
