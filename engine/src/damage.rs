//! What is wrong with files of a sector. Only damage leads to a step back or to a bad check, so an error must not be taken
//! for damage directly: see [`diagnosis`](crate::diagnosis).

use std::fmt::Display;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Damage(String);

impl Damage {
    /// A file that is missing or wrong, in one line.
    pub fn found(reason: impl Into<String>) -> Damage {
        Damage(reason.into())
    }

    /// The same damage; its description begins with `what`.
    pub fn context(self, what: impl Display) -> Damage {
        Damage(format!("{what}: {self}"))
    }
}
