//! Faults of a disk or mount, which a library preloaded into the engine simulates (`faults.c`).

use super::*;
use std::sync::OnceLock;

/// Calls of an engine that fail.
#[derive(Clone)]
pub struct Fault {
    /// `open`, `stat` or `opendir`.
    pub call: &'static str,
    /// How the path of the call ends.
    pub path: &'static str,
    pub errno: i32,
    /// A file, below the working directory or absolute: calls fail only while it exists.
    pub when: Option<PathBuf>,
    /// So many calls succeed first.
    pub skip: u32,
    /// Only so many fail.
    pub times: Option<u32>,
}

impl Fault {
    pub fn new(call: &'static str, path: &'static str, errno: i32) -> Fault {
        Fault { call, path, errno, when: None, skip: 0, times: None }
    }

    /// Lets the fault occur in an engine. Returns false, and says so, where it cannot be simulated.
    #[must_use]
    pub fn add_to(&self, command: &mut Command) -> bool {
        let Some(library) = library() else {
            println!("SKIPPED: faults cannot be simulated without a C compiler and glibc");
            return false;
        };
        command.env("LD_PRELOAD", library).env("FAULT_CALL", self.call).env("FAULT_PATH", self.path);
        command.env("FAULT_ERRNO", self.errno.to_string()).env("FAULT_SKIP", self.skip.to_string());
        command.envs(self.when.as_ref().map(|when| ("FAULT_WHEN", when)));
        command.envs(self.times.map(|times| ("FAULT_TIMES", times.to_string())));
        true
    }
}

/// The library, compiled once. `None`: this machine cannot compile it, or the engine would not load it.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compile = || {
        let path = built_path!("CARGO_TARGET_TMPDIR").join("faults.so");
        let source = built_path!("CARGO_MANIFEST_DIR").join("tests/engine/common/faults.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).arg(source).status();
        (cfg!(target_env = "gnu") && compiled.is_ok_and(|status| status.success())).then_some(path)
    };
    LIBRARY.get_or_init(compile).as_deref()
}
