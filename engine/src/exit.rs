//! Ends the process exactly once, whichever thread asks first. A failure within an attempt is written to error.json.

use crate::durable;
use crate::failure::Failure;
use crate::panics;
use crate::phase::Phase;
use crate::versions::PROTOCOL;
use serde_json::json;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;

/// Maximum length of a message in error.json. Readers pass it on to systems with size limits; the log has the whole
/// message.
const MAX_MESSAGE_BYTES: usize = 4096;
/// Prefix of every line that [`print_error`] prints.
pub const PREFIX: &str = "sealflow-engine: ";
const TRUNCATION_MARK: &str = "… (truncated; the whole message is in the log)";

/// The phase of the attempt in the working directory. While it is unset, failures are not written to error.json.
static ATTEMPT_PHASE: OnceLock<Phase> = OnceLock::new();
/// The thread that ends the process.
static EXITING_THREAD: OnceLock<ThreadId> = OnceLock::new();
static CLAIMED: AtomicBool = AtomicBool::new(false);
/// Says what a panic is due to.
type Diagnosis = Box<dyn Fn(Failure) -> Failure + Send + Sync>;
static DIAGNOSIS: OnceLock<Diagnosis> = OnceLock::new();
/// Held until the process ends: several threads may panic at the same cause.
static DIAGNOSING: Mutex<()> = Mutex::new(());

/// Declares the working directory to be an attempt of `phase`: from now on failures are written to its error.json.
pub fn set_phase(phase: Phase) {
    ATTEMPT_PHASE.get_or_init(|| phase);
}

/// Prints the failure, writes error.json and ends the process with the failure's exit code. A superseded engine writes
/// no error.json, as the directory may no longer be its own.
pub fn exit_with(failure: &Failure) -> ! {
    claim_exit();
    let message = failure.to_string();
    print_error(format_args!("{}: {}", failure.kind(), one_line(&message)));
    if let (Some(phase), false) = (ATTEMPT_PHASE.get(), matches!(failure, Failure::Superseded(_))) {
        let mut error = json!({
            "v": PROTOCOL, "phase": phase, "exit": failure.exit_code(), "type": failure.kind(), "message": truncate(message),
        });
        if let Failure::StepBack { from, .. } = failure {
            error["from"] = json!(from);
        }
        if let Err(failed) = durable::write_json(Path::new("error.json"), &error) {
            print_error(format_args!("error.json could not be written: {failed}"));
        }
    }
    std::process::exit(failure.exit_code())
}

/// Ends the process with exit code 0, unless another thread is already ending it.
pub fn exit_ok() -> ! {
    claim_exit();
    std::process::exit(0)
}

/// Prints one line to stderr. Unlike `eprintln!` it does not panic when stderr has been closed by its reader.
pub fn print_error(text: impl Display) {
    let _ = writeln!(io::stderr(), "{PREFIX}{text}");
}

/// Returns only in the first thread that calls it; the others wait until the process has ended.
fn claim_exit() {
    let this = std::thread::current().id();
    if *EXITING_THREAD.get_or_init(|| this) != this {
        loop {
            std::thread::park();
        }
    }
    if CLAIMED.swap(true, Ordering::Relaxed) {
        // This thread panicked while ending the process.
        std::process::abort();
    }
}

/// From now on a panic is reported as the failure that `diagnose` makes of it. It is called in the thread that panicked:
/// the prover's threads do not always pass a panic on to whoever waits for them.
pub fn diagnose_panics(diagnose: impl Fn(Failure) -> Failure + Send + Sync + 'static) {
    DIAGNOSIS.get_or_init(|| Box::new(diagnose));
}

/// Makes a panic in any thread end the process, unless it is [expected](panics::is_expected). The library panics on I/O
/// errors, and a phase that has lost a thread might wait forever.
pub fn install_panic_hook() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if panics::is_expected() {
            return;
        }
        print(info);
        let _one_at_a_time = DIAGNOSING.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = Failure::panic(info.to_string());
        exit_with(&match DIAGNOSIS.get() {
            Some(diagnose) => diagnose(failure),
            None => failure,
        });
    }));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn truncate(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_BYTES {
        // `floor_char_boundary` is newer than our `rust-version`.
        let end = (0..=MAX_MESSAGE_BYTES - TRUNCATION_MARK.len()).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or(0));
        message.push_str(TRUNCATION_MARK);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_truncated_at_a_character_boundary() {
        assert_eq!(truncate("x".repeat(MAX_MESSAGE_BYTES)), "x".repeat(MAX_MESSAGE_BYTES));
        for first in ["", "x", "xx", "xxx"] {
            let truncated = truncate(format!("{first}{}", "\u{1f980}".repeat(MAX_MESSAGE_BYTES)));
            let len = truncated.len();
            assert!(len <= MAX_MESSAGE_BYTES && len > MAX_MESSAGE_BYTES - 4, "{len}");
            assert!(truncated.starts_with(first) && truncated.ends_with(TRUNCATION_MARK));
        }
    }
}
