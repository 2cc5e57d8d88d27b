//! The result of one check.

use crate::failure::Failure;

/// The result of a check, each with one line that describes it.
pub enum Finding {
    Good(String),
    Bad(String),
    /// The check could not be made because of a fault of the machine, which says nothing about the copy.
    Unknown(Failure),
}
