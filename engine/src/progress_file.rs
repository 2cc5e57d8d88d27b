//! progress.json: one block of 4096 bytes, overwritten in place at intervals by its own thread.

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
/// Longer texts are truncated, so that the object always fits into the block.
const MAX_TEXT_CHARS: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
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

/// Creates progress.json and starts the thread that refreshes it every `every`. If the file exists already, the process
/// exits with 3, as an attempt runs only once.
pub fn start(host: &str, every: Duration) -> Outcome<()> {
    let temporary = format!(".{NAME}.{}", std::process::id());
    let creating = "creating progress.json";
    let mut writer = Writer {
        file: File::create(&temporary).context(creating)?,
        host: truncate(host),
        boot_id: machine::boot_id(),
        pid_ns: machine::pid_namespace(),
        start_time: machine::start_time(),
        counter: 0,
    };
    writer.refresh().context(creating)?;
    // Unlike a rename, a link fails if the name exists. Linking a complete file also keeps readers from seeing half a
    // block.
    let linked = fs::hard_link(&temporary, NAME);
    fs::remove_file(&temporary).context(creating)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Another engine may be running in this attempt, so nothing may be written here, not even error.json.
            exit::print_error(format_args!(
                "PassingFault: {NAME} exists already: this attempt has been started before"
            ));
            std::process::exit(3);
        }
        linked => linked.context(creating)?,
    }
    *lock_writer() = Some(writer);
    let spawned = thread::Builder::new().name("progress".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(error) = refresh() {
            // Not a full disk, as the block was allocated at the start. The phase will run into the same fault and
            // report it.
            log::warn!("{NAME}: {error}");
        }
    });
    spawned.map(drop).context("starting the progress thread")
}

/// Writes progress.json immediately.
pub fn refresh() -> io::Result<()> {
    lock_writer().as_mut().map_or(Ok(()), Writer::refresh)
}

fn lock_writer() -> std::sync::MutexGuard<'static, Option<Writer>> {
    WRITER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Writer {
    fn refresh(&mut self) -> io::Result<()> {
        self.counter += 1;
        let progress = progress::snapshot();
        let record = Record {
            v: PROTOCOL,
            pid: std::process::id(),
            start_time: self.start_time,
            boot_id: &self.boot_id,
            pid_ns: &self.pid_ns,
            host: &self.host,
            counter: self.counter,
            step: &truncate(&progress.step),
            fraction: progress.fraction,
            bytes: progress.bytes.unwrap_or_else(machine::io_bytes),
            total: progress.total,
            cpu_seconds: machine::cpu_seconds(),
            rss_bytes: machine::rss_bytes(),
            at: clock::now(),
        };
        self.file.write_all_at(&encode(&serde_json::to_vec(&record)?), 0)
    }
}

fn truncate(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

/// The JSON line, a line with the first 16 hex digits of its SHA-256, then spaces up to 4096 bytes.
fn encode(json: &[u8]) -> [u8; BLOCK] {
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
    fn block_has_json_checksum_and_padding() {
        let block = encode(br#"{"v":1}"#);
        let text = std::str::from_utf8(&block).unwrap();
        // printf '{"v":1}' | sha256sum
        assert_eq!(text.trim_end(), "{\"v\":1}\nafbf9d0f3560b0fd");
        assert_eq!(text.len(), 4096);
    }
}
