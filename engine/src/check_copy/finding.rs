//! The result of one check.

use crate::damage::Damage;
use crate::failure::Failure;

pub enum Finding {
    /// With one line that describes what is good.
    Good(String),
    Bad(Damage),
    /// The check could not be made because of a fault of the machine, which says nothing about the copy.
    NotChecked(Failure),
}

impl Finding {
    pub fn bad(reason: impl Into<String>) -> Finding {
        Finding::Bad(Damage::found(reason))
    }
}
