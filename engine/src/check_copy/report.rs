//! The output of `check-copy`, as text or as JSON.

use super::finding::Finding;
use super::options::Options;
use crate::failure::{Failure, Outcome};
use crate::receipt::Receipt;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Write};

/// How a line begins.
const GOOD: &str = "ok ";
const BAD: &str = "BAD";
const NOT_CHECKED: &str = "???";

#[derive(Serialize)]
struct Check {
    name: String,
    /// False also for a check that could not be made.
    ok: bool,
    /// False for a check that could not be made; otherwise absent.
    #[serde(skip_serializing_if = "is_true")]
    checked: bool,
    found: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it.
fn is_true(value: &bool) -> bool {
    *value
}

/// The last line of `--json`.
#[derive(Serialize)]
pub struct Report {
    v: u64,
    sector: String,
    size: &'static str,
    ok: bool,
    quick: bool,
    bytes: u64,
    checks: Vec<Check>,
    #[serde(skip)]
    json: bool,
    #[serde(skip)]
    bad: Vec<String>,
    #[serde(skip)]
    fault: Option<Failure>,
}

impl Report {
    pub fn new(receipt: &Receipt, Options { quick, json }: Options) -> Report {
        let (sector, size) = (receipt.sector.name.clone(), receipt.size.name());
        Report { v: 1, sector, size, ok: true, quick, bytes: 0, checks: Vec::new(), json, bad: Vec::new(), fault: None }
    }

    /// Adds the finding of a check and, unless JSON was asked for, prints it.
    pub fn add(&mut self, name: &str, finding: Finding) {
        let (mark, found) = match finding {
            Finding::Good(found) => (GOOD, found),
            Finding::Bad(damage) => {
                self.bad.push(name.to_owned());
                (BAD, damage.to_string())
            }
            Finding::NotChecked(fault) => {
                let found = format!("not checked: {fault}");
                self.fault.get_or_insert(fault);
                (NOT_CHECKED, found)
            }
        };
        if !self.json {
            print_line(format_args!("{mark} {name}  {found}"));
        }
        let ok = mark == GOOD;
        self.ok &= ok;
        self.checks.push(Check { name: name.to_owned(), ok, checked: mark != NOT_CHECKED, found });
    }

    /// Prints the JSON report, if it was asked for. Fails with `ProofInvalid` if any check was bad, even if others
    /// could not be made, and otherwise with the first fault. `bytes` is the number of bytes read.
    pub fn finish(mut self, bytes: u64) -> Outcome<()> {
        self.bytes = bytes;
        if self.json {
            print_line(serde_json::to_string(&self).expect("plain data"));
        }
        match (self.bad.is_empty(), self.fault) {
            (true, None) => Ok(()),
            (true, Some(fault)) => Err(fault),
            (false, _) => Err(Failure::ProofInvalid(format!("{}: bad: {}", self.sector, self.bad.join(", ")))),
        }
    }
}

/// Prints one line to stdout. Unlike `println!` it does not panic when stdout has been closed by its reader; the exit
/// code still reports the result.
pub fn print_line(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
