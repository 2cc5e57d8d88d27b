//! The ways in which a command fails. The variants are the `type`s of error.json; each has an exit code.

use crate::damage::Damage;
use crate::os_error::{self, ErrorClass};
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
    /// The storage node returned other bytes than were written.
    #[error("{0}")]
    CopyDamaged(String),
    #[error("{damage}")]
    StepBack { from: Phase, damage: Damage },
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

    pub fn step_back(from: Phase, damage: Damage) -> Failure {
        Failure::StepBack { from, damage }
    }

    /// An I/O error during `what`: `NoSpace` for a full disk or an exceeded quota, otherwise `PassingFault`.
    pub fn io(what: impl Display, error: &io::Error) -> Failure {
        Failure::from_errno(os_error::errno_of(error), format!("{what}: {error}"))
    }

    /// An error of the proofs library during `what`. Its inputs were checked before the call, so the cause is the
    /// machine and trying again may help.
    pub fn library(what: impl Display, error: &anyhow::Error) -> Failure {
        let message = format!("{what}: {error:#}");
        Failure::from_errno(os_error::errno_of_library(error, &message), message)
    }

    /// A panic with this message. The library panics on I/O errors too; those that the message identifies are
    /// classified like errors.
    pub fn panic(text: String) -> Failure {
        match os_error::errno_in_text(&text) {
            Some(errno) if os_error::classify(errno) != ErrorClass::Other => Failure::from_errno(Some(errno), text),
            _ => Failure::Panic(text),
        }
    }

    /// The same failure; its message ends with `more`. Only for those that are a guess at the cause.
    pub fn and(self, more: impl Display) -> Failure {
        match self {
            Failure::PassingFault(message) => Failure::PassingFault(format!("{message}; {more}")),
            Failure::Panic(message) => Failure::Panic(format!("{message}; {more}")),
            Failure::StepBack { from, damage } => Failure::step_back(from, Damage::found(format!("{damage}; {more}"))),
            other => other,
        }
    }

    pub fn from_errno(errno: Option<Errno>, message: String) -> Failure {
        match errno.map_or(ErrorClass::Other, os_error::classify) {
            ErrorClass::NoSpace => Failure::NoSpace(message),
            ErrorClass::MountGone => Failure::PassingFault(format!("{message}: the mount went away")),
            ErrorClass::DiskFault | ErrorClass::Other => Failure::PassingFault(message),
        }
    }
}

/// Turns an I/O error into a [`Failure`] that names the operation: `fs::read(path).context(format_args!("reading
/// {path:?}"))?`.
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
    fn a_full_disk_or_quota_is_no_space_however_it_is_wrapped() {
        for number in [28, 122] {
            let full = || io::Error::from_raw_os_error(number);
            assert_eq!(Failure::io("writing", &full()).kind(), "NoSpace");
            assert_eq!(Failure::io("writing", &io::Error::other(full())).kind(), "NoSpace");
            let wrapped = anyhow::Error::from(full()).context("failed to store labels");
            assert_eq!(Failure::library("P1", &wrapped).kind(), "NoSpace");
            let twice = anyhow::Error::from(io::Error::other(full())).context("failed to store labels");
            assert_eq!(Failure::library("P2", &twice).kind(), "NoSpace");
            let text_only = anyhow::anyhow!("failed to store labels: {}", full());
            assert_eq!(Failure::library("P2", &text_only).kind(), "NoSpace");
            let panic = format!("called `Result::unwrap()` on an `Err` value: {:?}", full());
            assert_eq!(Failure::panic(panic).kind(), "NoSpace");
        }
        assert_eq!(Failure::io("writing", &io::Error::from_raw_os_error(5)).kind(), "PassingFault");
        assert_eq!(Failure::panic("index out of bounds".to_owned()).exit_code(), 101);
    }

    #[test]
    fn a_panic_that_names_a_fault_is_one() {
        let panic = |number| {
            let error = io::Error::from_raw_os_error(number);
            Failure::panic(format!("called `Result::unwrap()` on an `Err` value: {error:?}"))
        };
        assert_eq!(panic(5).kind(), "PassingFault");
        // A file that a bug looks for, for example.
        assert_eq!(panic(2).kind(), "Panic");
    }

    #[test]
    fn a_stale_file_handle_is_a_passing_fault_and_is_explained() {
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
