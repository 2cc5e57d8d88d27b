//! How a command ends when it does not succeed: one enum, its exit code, its error.json.

use crate::caught;
use crate::durable;
use crate::job::Phase;
use crate::versions::PROTOCOL;
use serde_json::json;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::thread::ThreadId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    BadInput(String),
    PassingFault(String),
    NoSpace(String),
    /// What was read back from the storage node is not what was written.
    CopyDamaged(String),
    StepBack {
        from: Phase,
        why: String,
    },
    MissingParameters(String),
    ProofInvalid(String),
    Superseded(String),
    Panic(String),
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn exit(&self) -> i32 {
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

    fn kind(&self) -> &'static str {
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

    pub fn message(&self) -> &str {
        match self {
            Failure::StepBack { why, .. } => why,
            Failure::BadInput(text)
            | Failure::PassingFault(text)
            | Failure::NoSpace(text)
            | Failure::CopyDamaged(text)
            | Failure::MissingParameters(text)
            | Failure::ProofInvalid(text)
            | Failure::Superseded(text)
            | Failure::Panic(text) => text,
        }
    }

    pub fn step_back(from: Phase, why: impl Into<String>) -> Failure {
        Failure::StepBack { from, why: why.into() }
    }

    /// An I/O error while doing `what`: NoSpace for ENOSPC and EDQUOT, else a passing fault.
    pub fn io(what: impl Display, error: &io::Error) -> Failure {
        let message = format!("{what}: {error}");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::NoSpace(message),
            _ => Failure::PassingFault(message),
        }
    }

    /// An error of the proofs library while doing `what`. Its inputs were checked before it was called, so what remains is
    /// the machine: trying again may help.
    pub fn library(what: impl Display, error: &anyhow::Error) -> Failure {
        let message = format!("{what}: {error:#}");
        match io_cause(error) {
            Some(cause) => Failure::io(message, cause),
            None => Failure::PassingFault(message),
        }
    }
}

/// The I/O error at the root of a library error, if there is one.
pub fn io_cause(error: &anyhow::Error) -> Option<&io::Error> {
    error.chain().find_map(|cause| cause.downcast_ref::<io::Error>())
}

/// Names what was being done when an I/O error came: `fs::read(path).at(format_args!("reading {path:?}"))?`.
pub trait At<T> {
    fn at(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure::io(what, &error.into()))
    }
}

/// Set once `run` has made sure that its working directory is an attempt of this phase: failures go to its error.json.
static ATTEMPT: OnceLock<Phase> = OnceLock::new();
/// The thread that ends the process: there is one end, one error.json.
static ENDING: OnceLock<ThreadId> = OnceLock::new();
static ENTERED: AtomicBool = AtomicBool::new(false);

/// From now on a failure is written to error.json in the working directory.
pub fn report_as(phase: Phase) {
    ATTEMPT.get_or_init(|| phase);
}

/// Ends the process with the failure's exit code, from any thread; error.json first (not when superseded: the directory may no
/// longer be its own).
pub fn end(failure: &Failure) -> ! {
    be_the_only_one();
    complain(format_args!("{}: {}", failure.kind(), one_line(failure.message())));
    if let (Some(phase), false) = (ATTEMPT.get(), matches!(failure, Failure::Superseded(_))) {
        let mut error = json!({
            "v": PROTOCOL, "phase": phase, "exit": failure.exit(), "type": failure.kind(), "message": failure.message(),
        });
        if let Failure::StepBack { from, .. } = failure {
            error["from"] = json!(from);
        }
        if let Err(failed) = durable::write_json(Path::new("error.json"), &error) {
            complain(format_args!("error.json could not be written: {}", failed.message()));
        }
    }
    std::process::exit(failure.exit())
}

/// Ends the process with exit 0, unless a failure got there first.
pub fn end_well() -> ! {
    be_the_only_one();
    std::process::exit(0)
}

/// One line to stderr. Unlike `eprintln!` it does not panic when nobody reads it any more.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "sealflow-engine: {text}");
}

/// Returns in the first thread that ends the process and in no other.
fn be_the_only_one() {
    let this = std::thread::current().id();
    if *ENDING.get_or_init(|| this) != this {
        loop {
            std::thread::park();
        }
    }
    if ENTERED.swap(true, Ordering::Relaxed) {
        // A panic while ending: there is nothing left to try.
        std::process::abort();
    }
}

/// A panic in any thread, unless it is [`caught`], ends the process: the library uses panics for I/O errors, and a phase that has lost a thread may
/// wait for ever.
pub fn end_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if caught::is_expected() {
            return;
        }
        print(info);
        end(&of_panic(&info.to_string()));
    }));
}

/// The library panics with the text of an I/O error in it: a full disk is still a full disk.
fn of_panic(text: &str) -> Failure {
    // The numbers are ENOSPC and EDQUOT, as std::io::Error prints them.
    if ["(os error 28)", "(os error 122)", "code: 28,", "code: 122,"].iter().any(|errno| text.contains(errno)) {
        Failure::NoSpace(text.to_owned())
    } else {
        Failure::Panic(text.to_owned())
    }
}

/// Whether a panic of the library came from an I/O error of the system: `std::io::Error` displayed, or debugged.
pub fn tells_of_io(panic: &str) -> bool {
    ["(os error ", "Os { code: "].iter().any(|sign| panic.contains(sign))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(Failure::io("writing", &full).kind(), "NoSpace");
        assert_eq!(Failure::io("writing", &io::Error::from_raw_os_error(122)).kind(), "NoSpace");
        assert_eq!(Failure::io("writing", &io::Error::from_raw_os_error(5)).kind(), "PassingFault");
        let wrapped = anyhow::Error::from(io::Error::from_raw_os_error(28)).context("failed to store labels");
        assert_eq!(Failure::library("P1", &wrapped).kind(), "NoSpace");
        let panicked = format!("called `Result::unwrap()` on an `Err` value: {full:?}");
        assert_eq!(of_panic(&panicked).kind(), "NoSpace");
        assert!(tells_of_io(&panicked) && tells_of_io(&full.to_string()) && !tells_of_io("from_repr failure"));
        assert_eq!(of_panic("index out of bounds").exit(), 101);
    }

    #[test]
    fn b5_a_quota_is_a_full_disk_however_it_is_wrapped() {
        let quota = || io::Error::from_raw_os_error(122);
        assert_eq!(Failure::io("writing", &io::Error::other(quota())).kind(), "NoSpace");
        let wrapped = anyhow::Error::from(io::Error::other(quota())).context("failed to store labels");
        assert_eq!(Failure::library("P2", &wrapped).kind(), "NoSpace");
        let only_text = anyhow::anyhow!("failed to store labels: {}", quota());
        assert_eq!(Failure::library("P2", &only_text).kind(), "NoSpace");
    }

    #[test]
    fn b5_a_stale_file_handle_passes_and_says_what_it_means() {
        let stale = io::Error::from_raw_os_error(116);
        for failure in [
            Failure::io("reading", &stale),
            Failure::library("P3", &anyhow::anyhow!("cannot read: {stale}")),
            of_panic(&format!("called `Result::unwrap()` on an `Err` value: {stale:?}")),
        ] {
            assert_eq!(failure.kind(), "PassingFault");
            assert!(failure.message().contains("the mount went away"), "{}", failure.message());
        }
    }
}
