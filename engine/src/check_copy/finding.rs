//! What one check has found.

use crate::failure::Failure;

/// What a check came to, in one line for people.
pub enum Finding {
    Good(String),
    Bad(String),
    /// It could not be looked at: a fault of the machine, which says nothing of the copy.
    Unknown(Failure),
}
