//! How the process ends: exactly once, from whichever thread gets there first, with error.json when it fails within an attempt.

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
use std::sync::OnceLock;
use std::thread::ThreadId;

/// The most bytes of a message in error.json. Whoever reads it passes it on, through systems with limits of their own; the log
/// has the whole message.
const MAX_MESSAGE: usize = 4096;
/// What lines for people begin with.
pub const PREFIX: &str = "sealflow-engine: ";
const CUT: &str = "… (cut; the whole message is in the log)";

/// Set once `run` has made sure that its working directory is an attempt of this phase: failures go to its error.json.
static ATTEMPT: OnceLock<Phase> = OnceLock::new();
/// The thread that ends the process.
static EXITING: OnceLock<ThreadId> = OnceLock::new();
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// From now on a failure is written to error.json in the working directory.
pub fn set_phase(phase: Phase) {
    ATTEMPT.get_or_init(|| phase);
}

/// Ends the process with the failure's exit code, from any thread; error.json first (not when superseded: the directory may no
/// longer be its own).
pub fn exit_with(failure: &Failure) -> ! {
    claim_exit();
    let message = failure.to_string();
    print_error(format_args!("{}: {}", failure.kind(), one_line(&message)));
    if let (Some(phase), false) = (ATTEMPT.get(), matches!(failure, Failure::Superseded(_))) {
        let mut error = json!({
            "v": PROTOCOL, "phase": phase, "exit": failure.exit_code(), "type": failure.kind(), "message": bounded(message),
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

/// Ends the process with exit code 0, unless a failure got there first.
pub fn exit_ok() -> ! {
    claim_exit();
    std::process::exit(0)
}

/// One line to stderr. Unlike `eprintln!` it does not panic when nobody reads stderr any more.
pub fn print_error(text: impl Display) {
    let _ = writeln!(io::stderr(), "{PREFIX}{text}");
}

/// Returns in the first thread that ends the process and in no other.
fn claim_exit() {
    let this = std::thread::current().id();
    if *EXITING.get_or_init(|| this) != this {
        loop {
            std::thread::park();
        }
    }
    if CLAIMED.swap(true, Ordering::Relaxed) {
        // A panic while ending: there is nothing left to try.
        std::process::abort();
    }
}

/// A panic in any thread, unless it is [expected](panics::is_expected), ends the process: the library panics over I/O errors, and
/// a phase that has lost a thread may wait for ever.
pub fn install_panic_hook() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if panics::is_expected() {
            return;
        }
        print(info);
        exit_with(&Failure::panic(info.to_string()));
    }));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bounded(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        // `floor_char_boundary` is newer than our `rust-version`.
        let end = (0..=MAX_MESSAGE - CUT.len()).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or(0));
        message.push_str(CUT);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b4_a_message_is_cut_on_a_character_boundary() {
        assert_eq!(bounded("x".repeat(MAX_MESSAGE)), "x".repeat(MAX_MESSAGE));
        for first in ["", "x", "xx", "xxx"] {
            let cut = bounded(format!("{first}{}", "\u{1f980}".repeat(MAX_MESSAGE)));
            assert!(cut.len() <= MAX_MESSAGE && cut.len() > MAX_MESSAGE - 4, "{}", cut.len());
            assert!(cut.starts_with(first) && cut.ends_with(CUT));
        }
    }
}
