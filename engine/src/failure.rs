//! Why a command does not succeed: one enum, whose variants are the types of error.json, each with its exit code.

use crate::os_error::{self, Meaning};
use crate::phase::Phase;
use rustix::io::Errno;
use std::fmt::Display;
use std::io;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    #[error("{0}")]
    BadInput(String),
    #[error("{0}")]
    PassingFault(String),
    #[error("{0}")]
    NoSpace(String),
    /// What was read back from the storage node is not what was written.
    #[error("{0}")]
    CopyDamaged(String),
    #[error("{reason}")]
    StepBack { from: Phase, reason: String },
    #[error("{0}")]
    MissingParameters(String),
    #[error("{0}")]
    ProofInvalid(String),
    #[error("{0}")]
    Superseded(String),
    #[error("{0}")]
    Panic(String),
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn exit_code(&self) -> i32 {
        match self {
            Failure::BadInput(_) => 2,
            Failure::PassingFault(_) | Failure::NoSpace(_) | Failure::CopyDamaged(_) => 3,
            Failure::StepBack { .. } => 4,
            Failure::MissingParameters(_) => 5,
            Failure::ProofInvalid(_) => 6,
            Failure::Superseded(_) => 7,
            Failure::Panic(_) => 101,
        }
    }

    /// `type` of error.json.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::BadInput(_) => "BadInput",
            Failure::PassingFault(_) => "PassingFault",
            Failure::NoSpace(_) => "NoSpace",
            Failure::CopyDamaged(_) => "CopyDamaged",
            Failure::StepBack { .. } => "StepBack",
            Failure::MissingParameters(_) => "MissingParameters",
            Failure::ProofInvalid(_) => "ProofInvalid",
            Failure::Superseded(_) => "Superseded",
            Failure::Panic(_) => "Panic",
        }
    }

    pub fn step_back(from: Phase, reason: impl Into<String>) -> Failure {
        Failure::StepBack { from, reason: reason.into() }
    }

    /// An I/O error while doing `what`: `NoSpace` for a full disk or quota, else a passing fault.
    pub fn io(what: impl Display, error: &io::Error) -> Failure {
        Failure::of_errno(os_error::of_io(error), format!("{what}: {error}"))
    }

    /// An error of the proofs library while doing `what`. The library's inputs were checked before it was called, which leaves
    /// the machine as the cause: trying again may help.
    pub fn library(what: impl Display, error: &anyhow::Error) -> Failure {
        let message = format!("{what}: {error:#}");
        // Where the library has kept no more of an I/O error than its text, that has to do.
        let errno = io_cause(error).and_then(os_error::of_io).or_else(|| os_error::of_text(&message));
        Failure::of_errno(errno, message)
    }

    /// A panic of the library: it panics with the text of an I/O error, too.
    pub fn panic(text: String) -> Failure {
        match os_error::of_text(&text) {
            Some(errno) if os_error::meaning(errno) != Meaning::Other => Failure::of_errno(Some(errno), text),
            _ => Failure::Panic(text),
        }
    }

    fn of_errno(errno: Option<Errno>, message: String) -> Failure {
        match errno.map_or(Meaning::Other, os_error::meaning) {
            Meaning::NoSpace => Failure::NoSpace(message),
            Meaning::MountGone => Failure::PassingFault(format!("{message}: the mount went away")),
            Meaning::Other => Failure::PassingFault(message),
        }
    }
}

/// The I/O error at the root of a library error, if there is one.
pub fn io_cause(error: &anyhow::Error) -> Option<&io::Error> {
    error.chain().find_map(|cause| cause.downcast_ref::<io::Error>())
}

/// Adds what was being done to an I/O error: `fs::read(path).context(format_args!("reading {path:?}"))?`.
pub trait IoContext<T> {
    fn context(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> IoContext<T> for Result<T, E> {
    fn context(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure::io(what, &error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_a_full_disk_or_quota_is_no_space_however_it_is_wrapped() {
        for number in [28, 122] {
            let full = || io::Error::from_raw_os_error(number);
            assert_eq!(Failure::io("writing", &full()).kind(), "NoSpace");
            assert_eq!(Failure::io("writing", &io::Error::other(full())).kind(), "NoSpace");
            let wrapped = anyhow::Error::from(full()).context("failed to store labels");
            assert_eq!(Failure::library("P1", &wrapped).kind(), "NoSpace");
            let twice = anyhow::Error::from(io::Error::other(full())).context("failed to store labels");
            assert_eq!(Failure::library("P2", &twice).kind(), "NoSpace");
            let only_text = anyhow::anyhow!("failed to store labels: {}", full());
            assert_eq!(Failure::library("P2", &only_text).kind(), "NoSpace");
            let panic = format!("called `Result::unwrap()` on an `Err` value: {:?}", full());
            assert_eq!(Failure::panic(panic).kind(), "NoSpace");
        }
        assert_eq!(Failure::io("writing", &io::Error::from_raw_os_error(5)).kind(), "PassingFault");
        assert_eq!(Failure::panic("index out of bounds".to_owned()).exit_code(), 101);
    }

    #[test]
    fn b5_a_stale_file_handle_passes_and_says_what_it_means() {
        let stale = io::Error::from_raw_os_error(116);
        for failure in [
            Failure::io("reading", &stale),
            Failure::library("P3", &anyhow::anyhow!("cannot read: {stale}")),
            Failure::panic(format!("called `Result::unwrap()` on an `Err` value: {stale:?}")),
        ] {
            assert_eq!(failure.kind(), "PassingFault");
            assert!(failure.to_string().ends_with("the mount went away"), "{failure}");
        }
    }
}
