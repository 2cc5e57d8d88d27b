//! What one check has found.

use crate::failure::Failure;

/// What a check came to, in one line for people.
pub enum Finding {
    Good(String),
    Bad(String),
    /// It could not be checked: a fault of the machine, which is no verdict on the copy.
    Unknown(Failure),
}
