//! progress.json: one block of 4096 bytes, refreshed in place by a thread of its own.

use crate::clock;
use crate::exit;
use crate::failure::{IoContext, Outcome};
use crate::machine;
use crate::progress;
use crate::versions::PROTOCOL;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const NAME: &str = "progress.json";
const BLOCK: usize = 4096;
/// Texts are cut to so many characters, so that the object always fits the block.
const LONGEST_TEXT: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot<'a> {
    v: u64,
    pid: u32,
    start_time: u64,
    boot_id: &'a str,
    pid_ns: &'a str,
    host: &'a str,
    counter: u64,
    step: &'a str,
    fraction: Option<f64>,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    cpu_seconds: f64,
    rss_bytes: u64,
    at: String,
}

struct Writer {
    file: File,
    host: String,
    boot_id: String,
    pid_ns: String,
    start_time: u64,
    counter: u64,
}

static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

/// Makes progress.json and keeps it fresh. It must not be there yet: an attempt is begun once.
pub fn start(host: &str, every: Duration) -> Outcome<()> {
    let temporary = format!(".{NAME}.{}", std::process::id());
    let making = "making progress.json";
    let mut writer = Writer {
        file: File::create(&temporary).context(making)?,
        host: cut(host),
        boot_id: machine::boot_id(),
        pid_ns: machine::pid_namespace(),
        start_time: machine::start_time(),
        counter: 0,
    };
    writer.refresh().context(making)?;
    // A link, unlike a rename, fails when the name is taken; and nobody ever sees half a block.
    let linked = fs::hard_link(&temporary, NAME);
    fs::remove_file(&temporary).context(making)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // The attempt may be another engine's, alive: nothing may be written here, error.json neither.
            exit::print_error(format_args!("PassingFault: {NAME} is there already: this attempt was begun before"));
            std::process::exit(3);
        }
        linked => linked.context(making)?,
    }
    *lock() = Some(writer);
    let spawned = thread::Builder::new().name("progress".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(error) = refresh() {
            // The block is there since the start, so this is no full disk; the phase itself will meet the fault.
            log::warn!("{NAME}: {error}");
        }
    });
    spawned.map(drop).context("starting the progress thread")
}

/// Writes progress.json now.
pub fn refresh() -> io::Result<()> {
    lock().as_mut().map_or(Ok(()), Writer::refresh)
}

fn lock() -> std::sync::MutexGuard<'static, Option<Writer>> {
    WRITER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Writer {
    fn refresh(&mut self) -> io::Result<()> {
        self.counter += 1;
        let now = progress::view();
        let snapshot = Snapshot {
            v: PROTOCOL,
            pid: std::process::id(),
            start_time: self.start_time,
            boot_id: &self.boot_id,
            pid_ns: &self.pid_ns,
            host: &self.host,
            counter: self.counter,
            step: &cut(&now.step),
            fraction: now.fraction,
            bytes: now.bytes.unwrap_or_else(machine::io_bytes),
            total: now.total,
            cpu_seconds: machine::cpu_seconds(),
            rss_bytes: machine::rss_bytes(),
            at: clock::now(),
        };
        self.file.write_all_at(&block(&serde_json::to_vec(&snapshot)?), 0)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The JSON line, the first 16 hex digits of its SHA-256, spaces up to 4096 bytes.
fn block(json: &[u8]) -> [u8; BLOCK] {
    let sum = hex::encode(Sha256::digest(json));
    let text = [json, b"\n", &sum.as_bytes()[..16], b"\n"].concat();
    let mut block = [b' '; BLOCK];
    block[..text.len()].copy_from_slice(&text);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_whole() {
        let block = block(br#"{"v":1}"#);
        let text = std::str::from_utf8(&block).unwrap();
        // printf '{"v":1}' | sha256sum
        assert_eq!(text.trim_end(), "{\"v\":1}\nafbf9d0f3560b0fd");
        assert_eq!(text.len(), 4096);
    }
}
