//! A temporary sector directory for each test, and functions that run the engine in it.

pub mod faults;
pub mod stored;

use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The staging directory of P5, relative to the node.
pub const STAGING: &str = ".sealflow/s-t01000-7.1";
pub const INPUT_HASH: &str = "abababababababababababababababababababababababababababababababab";

/// A path that the compiler knew. The environment may name another one: test programs are kept in the user's cache and run
/// for every checkout of these sources (`scripts/engine-tests.mjs`).
macro_rules! built_path {
    ($name:literal) => {
        std::path::PathBuf::from(std::env::var_os($name).unwrap_or_else(|| env!($name).into()))
    };
}
pub(crate) use built_path;

/// The engine under test.
pub fn engine() -> PathBuf {
    built_path!("CARGO_BIN_EXE_sealflow-engine")
}

pub struct Sector {
    root: TempDir,
}

pub struct ExitedEngine {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Sector {
    pub fn new() -> Sector {
        let root = tempfile::tempdir().unwrap();
        for dir in ["cache/s-t01000-7", "node", "params", "parents"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        Sector { root }
    }

    /// A path in the test's temporary directory, such as `node`, `params` or `parents`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A path in the sector's directory, such as `1/P1-1`.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path("cache/s-t01000-7").join(name)
    }

    /// Creates an attempt with a valid job, after applying `change` to it.
    pub fn attempt(&self, name: &str, change: impl Fn(&mut Value)) -> PathBuf {
        let dir = self.at(name);
        let phase = &dir.file_name().unwrap().to_str().unwrap()[..2];
        let inputs = match phase {
            "P2" => json!({ "P1": "../P1-1" }),
            "P3" | "P5" => json!({ "P2": "../P2-1" }),
            "P4" => json!({ "P2": "../P2-1", "P3": "../P3-1" }),
            _ => json!({}),
        };
        let mut job = json!({
            "v": 1, "phase": phase, "sector": "t01000/7", "size": "2KiB", "inputHash": INPUT_HASH,
            "ticket": "01".repeat(32), "seed": "02".repeat(32), "inputs": inputs, "earlier": [],
            "progressEveryMs": 50, "leaseEveryMs": 50,
            "madeBy": { "host": "10.0.0.1", "worker": "test", "version": "0" }, "at": "2026-11-22T16:00:00.000Z",
        });
        if phase == "P5" {
            job["copy"] = json!({ "node": self.path("node"), "staging": STAGING, "limitBytesPerSec": 0 });
            self.create_staging();
        }
        change(&mut job);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("job.json"), serde_json::to_vec(&job).unwrap()).unwrap();
        dir
    }

    /// Creates the staging directory as the worker does, if the node exists.
    pub fn create_staging(&self) {
        if self.path("node").exists() {
            let staging = self.path("node").join(STAGING);
            fs::create_dir_all(&staging).unwrap();
            fs::write(staging.join("copy.json"), "{}").unwrap();
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(engine());
        command
            .args(arguments)
            .env("FIL_PROOFS_PARENT_CACHE", self.path("parents"))
            .env("FIL_PROOFS_PARAMETER_CACHE", self.path("params"))
            .env_remove("RUST_LOG")
            .env_remove("BELLMAN_PROOF_THREADS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn engine(&self, arguments: &[&str]) -> ExitedEngine {
        wait_for_exit(self.command(arguments).spawn().unwrap())
    }

    pub fn run(&self, attempt: &Path) -> ExitedEngine {
        self.engine(&["run", attempt.to_str().unwrap()])
    }

    /// Creates and runs an attempt, and expects it to succeed. Returns result.json.
    pub fn run_ok(&self, name: &str, change: impl Fn(&mut Value)) -> Value {
        let attempt = self.attempt(name, change);
        let exited = self.run(&attempt);
        assert_eq!(exited.code, Some(0), "{name}: {}", exited.stderr);
        assert!(!attempt.join("error.json").exists());
        read(&attempt.join("result.json"))
    }

    /// Creates and runs an attempt, and expects it to fail with this exit code. Returns error.json.
    pub fn run_failing(&self, name: &str, exit: i32, change: impl Fn(&mut Value)) -> Value {
        let attempt = self.attempt(name, change);
        let exited = self.run(&attempt);
        assert_eq!(exited.code, Some(exit), "{name}: {}", exited.stderr);
        assert!(!attempt.join("result.json").exists());
        let error = read(&attempt.join("error.json"));
        assert_eq!(error["exit"], exit);
        assert_eq!(error["phase"], name[name.len() - 4..name.len() - 2]);
        error
    }

    /// Starts a P5 that copies one byte per second, so that it runs as long as a test needs. Returns once it copies.
    pub fn spawn_slow_engine(&self, name: &str, change: impl Fn(&mut Value)) -> RunningEngine {
        let attempt = self.slow_attempt(name, change);
        spawn_copying(&attempt, &mut self.command(&["run", attempt.to_str().unwrap()]))
    }

    /// Creates an attempt of a P5 that copies one byte per second.
    pub fn slow_attempt(&self, name: &str, change: impl Fn(&mut Value)) -> PathBuf {
        self.attempt(name, |job| {
            job["copy"]["limitBytesPerSec"] = json!(1);
            change(job);
        })
    }
}

/// Starts the engine of a P5. Returns once it copies.
pub fn spawn_copying(attempt: &Path, command: &mut Command) -> RunningEngine {
    let child = RunningEngine(Some(command.spawn().unwrap()));
    wait_until("the copy has begun", || progress(attempt).is_some_and(|progress| progress["step"] == "copying"));
    child
}

/// A running engine, which is killed when it is dropped, as in a failing test.
pub struct RunningEngine(Option<Child>);

impl RunningEngine {
    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    pub fn wait(mut self) -> ExitedEngine {
        wait_for_exit(self.0.take().unwrap())
    }
}

impl Drop for RunningEngine {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

pub fn wait_for_exit(child: Child) -> ExitedEngine {
    let output = child.wait_with_output().unwrap();
    ExitedEngine {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub fn read(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// Appends `by` bytes to the replica of P2 and updates P2's result. The proofs still succeed, as the leaves come
/// before.
pub fn enlarge(sector: &Sector, p2: &str, by: usize) {
    let path = sector.at(p2).join("sealed");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend((0..by).map(|i| (i % 251) as u8));
    fs::write(&path, &bytes).unwrap();
    let path = sector.at(p2).join("result.json");
    let mut result = read(&path);
    let files = result["outputs"]["files"].as_array_mut().unwrap();
    let file = files.iter_mut().find(|file| file["name"] == "sealed").unwrap();
    file["size"] = json!(bytes.len());
    file["blake3"] = json!(blake3::hash(&bytes).to_hex().to_string());
    fs::write(&path, result.to_string()).unwrap();
}

/// progress.json, if it exists and its checksum is right.
pub fn progress(attempt: &Path) -> Option<Value> {
    let text = fs::read_to_string(attempt.join("progress.json")).ok()?;
    assert_eq!(text.len(), 4096);
    let mut lines = text.split('\n');
    let (json, sum) = (lines.next()?, lines.next()?);
    let expected = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(json));
    (expected[..16] == *sum).then(|| serde_json::from_str(json).unwrap())
}

/// Changes the byte in the middle of a file in place, so that its hard links change too.
pub fn flip_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Waits until another process has done something, for at most a minute.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The sorted names in a directory.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn blake3(path: &Path) -> String {
    blake3::hash(&fs::read(path).unwrap()).to_hex().to_string()
}

/// The digest of a file according to a result.
pub fn digest(result: &Value, name: &str) -> String {
    let files = result["outputs"]["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["name"] == name).unwrap_or_else(|| panic!("{name} in {result}"));
    file["blake3"].as_str().unwrap().to_owned()
}
