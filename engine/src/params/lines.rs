//! What `params` prints: one JSON object per line.

use serde_json::{json, Value};
use std::io::{self, Write};

pub fn print_step(step: &str) {
    print_line(&json!({ "step": step, "done": false }));
}

/// Ignores a closed stdout, which should not abort minutes of work.
pub fn print_line(line: &Value) {
    let _ = writeln!(io::stdout(), "{line}");
}
