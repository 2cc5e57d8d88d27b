//! progress.json: what the engine is doing, refreshed in place by a thread of its own. One process computes one phase, so the
//! state is the process's; before [`start`] (and in other commands) everything here does nothing.

use crate::clock;
use crate::failure::{self, At, Failure, Outcome};
use crate::machine;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

pub const BLOCK: usize = 4096;
/// A step's name is cut to this, so that the object always fits the block.
const LONGEST_STEP: usize = 200;

/// Says how far the present step is, 0…1, when asked.
type Gauge = Box<dyn Fn() -> Option<f64> + Send>;
/// Turns a log line of the library into the step that it begins.
type Listener = fn(&str) -> Option<Step>;

/// A part of a phase: its name and its share of the phase's time, as fractions of the phase.
#[derive(Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub from: f64,
    pub to: f64,
}

struct Now {
    step: Step,
    within: f64,
    fraction: Option<f64>,
    bytes: Option<u64>,
    gauge: Option<Gauge>,
    listener: Option<Listener>,
}

static NOW: Mutex<Now> = Mutex::new(Now {
    step: Step { name: String::new(), from: 0.0, to: 0.0 },
    within: 0.0,
    fraction: None,
    bytes: None,
    gauge: None,
    listener: None,
});

fn now() -> MutexGuard<'static, Now> {
    NOW.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Now {
    fn begin(&mut self, step: Step) {
        self.step = step;
        self.within = 0.0;
        self.moved();
    }

    /// The fraction never falls, whatever order steps come in.
    fn moved(&mut self) {
        let Step { from, to, .. } = self.step;
        let reached = from + (to - from) * self.within.clamp(0.0, 1.0);
        self.fraction = Some(self.fraction.unwrap_or(0.0).max(reached));
    }
}

/// The phase now does `name`, which takes it from the fraction `from` to `to`.
pub fn step(name: impl Into<String>, from: f64, to: f64) {
    let name = name.into();
    log::info!("{name}");
    now().begin(Step { name, from, to });
}

/// The present step is so far (0…1).
pub fn within(part: f64) {
    let mut now = now();
    now.within = part;
    now.moved();
}

/// Bytes copied so far, for phases that copy; the others report what the process has read and written.
pub fn copied(bytes: u64) {
    now().bytes = Some(bytes);
}

/// Asks `gauge` at every refresh how far the present step is.
pub fn gauge(gauge: impl Fn() -> Option<f64> + Send + 'static) {
    now().gauge = Some(Box::new(gauge));
}

/// Hands the library's log lines to `listener`.
pub fn listen(listener: Listener) {
    now().listener = Some(listener);
}

/// A log line of the library; called by the logger.
pub fn heard(line: &str) {
    let mut now = now();
    if let Some(step) = now.listener.and_then(|listener| listener(line)) {
        now.begin(step);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    v: u32,
    pid: u32,
    start_time: u64,
    boot_id: &'a str,
    pid_ns: &'a str,
    host: &'a str,
    counter: u64,
    step: &'a str,
    fraction: Option<f64>,
    bytes: u64,
    cpu_seconds: f64,
    rss_bytes: u64,
    at: String,
}

/// Creates progress.json and keeps it fresh. It must not be there yet: an attempt is begun once.
pub fn start(host: &str, every: Duration) -> Outcome<()> {
    let file = match OpenOptions::new().write(true).create_new(true).open("progress.json") {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // The attempt may be another engine's, alive: nothing may be written here, error.json neither.
            eprintln!("sealflow-engine: PassingFault: progress.json is there already: this attempt was begun before");
            std::process::exit(3);
        }
        opened => opened.at("making progress.json")?,
    };
    let writer = Writer {
        file,
        host: host.chars().take(LONGEST_STEP).collect(),
        boot_id: machine::boot_id(),
        pid_ns: machine::pid_namespace(),
        start_time: machine::start_time(),
        counter: 0,
    };
    *writer_of_this_process() = Some(writer);
    refresh().at("writing progress.json")?;
    let spawned = thread::Builder::new().name("progress".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(error) = refresh() {
            // The block was allocated at the start, so this is no full disk; the phase itself will meet the fault.
            log::warn!("progress.json: {error}");
        }
    });
    spawned.map(drop).at("starting the progress thread")
}

static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

fn writer_of_this_process() -> MutexGuard<'static, Option<Writer>> {
    WRITER.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Writes progress.json now.
pub fn refresh() -> io::Result<()> {
    writer_of_this_process().as_mut().map_or(Ok(()), Writer::refresh)
}

struct Writer {
    file: File,
    host: String,
    boot_id: String,
    pid_ns: String,
    start_time: u64,
    counter: u64,
}

impl Writer {
    fn refresh(&mut self) -> io::Result<()> {
        self.counter += 1;
        // A gauge may look at files (/proc): it is not asked while the lock is held that the phase needs.
        let gauge = now().gauge.take();
        if let Some(gauge) = gauge {
            if let Some(part) = gauge() {
                within(part);
            }
            now().gauge.get_or_insert(gauge);
        }
        let json = {
            let now = now();
            let step: String = now.step.name.chars().take(LONGEST_STEP).collect();
            serde_json::to_vec(&Block {
                v: 1,
                pid: std::process::id(),
                start_time: self.start_time,
                boot_id: &self.boot_id,
                pid_ns: &self.pid_ns,
                host: &self.host,
                counter: self.counter,
                step: &step,
                fraction: now.fraction,
                bytes: now.bytes.unwrap_or_else(machine::io_bytes),
                cpu_seconds: machine::cpu_seconds(),
                rss_bytes: machine::rss_bytes(),
                at: clock::now(),
            })?
        };
        self.file.write_all_at(&block(&json), 0)
    }
}

/// The JSON line, the first 16 hex digits of its SHA-256, spaces up to 4096 bytes.
fn block(json: &[u8]) -> [u8; BLOCK] {
    let sum = hex::encode(Sha256::digest(json));
    let text = [json, b"\n", &sum.as_bytes()[..16], b"\n"].concat();
    let mut block = [b' '; BLOCK];
    block[..text.len()].copy_from_slice(&text);
    block
}

/// Runs `check` every so often in a thread of its own; what it finds ends the process. Apart from progress, so that a hung
/// mount, which holds up the one, does not hold up the other.
pub fn watch(every: Duration, check: impl Fn() -> Result<(), Failure> + Send + 'static) -> Outcome<()> {
    let spawned = thread::Builder::new().name("lease".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(failure) = check() {
            failure::end(&failure);
        }
    });
    spawned.map(drop).at("starting the lease thread")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_whole() {
        let block = block(br#"{"v":1}"#);
        let text = std::str::from_utf8(&block).unwrap();
        let mut lines = text.split('\n');
        assert_eq!(lines.next(), Some(r#"{"v":1}"#));
        // printf '{"v":1}' | sha256sum
        assert_eq!(lines.next(), Some(&hex::encode(Sha256::digest(br#"{"v":1}"#))[..16]));
        assert!(lines.next().unwrap().bytes().all(|byte| byte == b' '));
    }

    #[test]
    fn the_fraction_never_falls() {
        let mut now = Now {
            step: Step { name: String::new(), from: 0.0, to: 0.0 },
            within: 0.0,
            fraction: None,
            bytes: None,
            gauge: None,
            listener: None,
        };
        let step = |from, to| Step { name: "x".to_owned(), from, to };
        now.begin(step(0.2, 0.4));
        now.within = 0.5;
        now.moved();
        assert!((now.fraction.unwrap() - 0.3).abs() < 1e-9);
        now.begin(step(0.1, 0.2));
        assert!((now.fraction.unwrap() - 0.3).abs() < 1e-9);
        now.within = 7.0;
        now.begin(step(0.9, 1.0));
        assert!((now.fraction.unwrap() - 0.9).abs() < 1e-9);
    }
}
