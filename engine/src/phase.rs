//! The phases that an engine computes.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    P1,
    P2,
    P3,
    P4,
    P5,
}

impl Phase {
    /// The phase called `name`, such as `P2`.
    pub fn from_name(name: &str) -> Option<Phase> {
        [Phase::P1, Phase::P2, Phase::P3, Phase::P4, Phase::P5].into_iter().find(|phase| phase.to_string() == name)
    }

    /// The phases whose results this one takes as inputs.
    pub fn depends_on(self) -> &'static [Phase] {
        match self {
            Phase::P1 => &[],
            Phase::P2 => &[Phase::P1],
            Phase::P3 | Phase::P5 => &[Phase::P2],
            Phase::P4 => &[Phase::P2, Phase::P3],
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
