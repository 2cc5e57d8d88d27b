//! Compares the stored files with what the receipt says of them.

use super::finding::Finding;
use super::options::Options;
use super::plain_file::{self, SMALL};
use super::report::print_line;
use crate::copy::cache_dropper::CacheDropper;
use crate::copy::pace::Pace;
use crate::digest::FileRecord;
use crate::receipt::Receipt;
use crate::stream::stream;
use serde_json::json;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often `--json` reports progress.
const EVERY: Duration = Duration::from_secs(1);

pub struct Reader<'a> {
    sector: &'a str,
    options: Options,
    /// Bytes read so far.
    pub bytes: u64,
    /// Bytes to be read.
    total: u64,
    last_report: Instant,
}

impl Reader<'_> {
    pub fn new(receipt: &Receipt, options: Options) -> Reader<'_> {
        let mut reader =
            Reader { sector: &receipt.sector.name, options, bytes: 0, total: 0, last_report: Instant::now() };
        reader.total = receipt.files.iter().map(|file| file.size).filter(|size| reader.is_read(*size)).sum();
        reader
    }

    fn is_read(&self, size: u64) -> bool {
        !self.options.quick || size <= SMALL
    }

    pub fn check(&mut self, node: &Path, file: &FileRecord) -> Finding {
        self.compare(node, file).unwrap_or_else(|finding| finding)
    }

    fn compare(&mut self, node: &Path, file: &FileRecord) -> Result<Finding, Finding> {
        let path = node.join(&file.name);
        let stored = plain_file::open_direct(&path)?;
        let size = stored.metadata().map_err(|error| plain_file::fault(&path, &error))?.len();
        if size != file.size {
            // Known without reading it.
            let FileRecord { name, size: right, .. } = file;
            return Err(Finding::Bad(format!("{name} is {size} bytes; the receipt says {right} bytes")));
        }
        if !self.is_read(size) {
            return Ok(Finding::Good(format!("{size} bytes")));
        }
        let mut dropper = CacheDropper::of_reads(&stored);
        let (size, hash) = stream(&stored, &Pace::unlimited(), |chunk| {
            self.read(chunk.len as u64);
            dropper.up_to(chunk.offset + chunk.len as u64)
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Finding::Bad(format!("{} got shorter while it was read", file.name)),
            _ => plain_file::fault(&path, &error),
        })?;
        let found = FileRecord::new(&file.name, size, hash);
        match file.compare(&found, "the receipt says") {
            Ok(()) => Ok(Finding::Good(format!("{size} bytes, BLAKE3 {}", found.blake3))),
            Err(reason) => Err(Finding::Bad(reason)),
        }
    }

    fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.options.json && self.last_report.elapsed() >= EVERY {
            self.last_report = Instant::now();
            print_line(json!({ "sector": self.sector, "bytes": self.bytes, "total": self.total }));
        }
    }
}
