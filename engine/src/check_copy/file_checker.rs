//! Compares the stored files with their records in the receipt.

use super::finding::Finding;
use super::node::{Node, SMALL};
use super::options::Options;
use super::report::print_line;
use crate::copy::cache_dropper::CacheDropper;
use crate::copy::rate_limiter::RateLimiter;
use crate::digest::FileRecord;
use crate::receipt::Receipt;
use crate::stream::stream;
use serde_json::json;
use std::io;
use std::time::{Duration, Instant};

/// How often `--json` reports progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

pub struct FileChecker<'a> {
    sector: &'a str,
    options: Options,
    /// Bytes read so far.
    pub bytes: u64,
    /// Bytes to be read in all.
    total: u64,
    last_report: Instant,
}

impl FileChecker<'_> {
    pub fn new(receipt: &Receipt, options: Options) -> FileChecker<'_> {
        let mut checker =
            FileChecker { sector: &receipt.sector.name, options, bytes: 0, total: 0, last_report: Instant::now() };
        checker.total = receipt.files.iter().map(|file| file.size).filter(|size| checker.must_read(*size)).sum();
        checker
    }

    fn must_read(&self, size: u64) -> bool {
        !self.options.quick || size <= SMALL
    }

    /// Checks the size of a stored file and, unless it is skipped, its BLAKE3.
    pub fn check(&mut self, node: &Node, file: &FileRecord) -> Finding {
        self.compare(node, file).unwrap_or_else(|finding| finding)
    }

    fn compare(&mut self, node: &Node, file: &FileRecord) -> Result<Finding, Finding> {
        let stored = node.open_direct(&file.name)?;
        let size = stored.metadata().map_err(|error| node.io_fault(&file.name, &error))?.len();
        if size != file.size {
            let FileRecord { name, size: expected, .. } = file;
            return Err(Finding::bad(format!("{name} is {size} bytes; the receipt says {expected} bytes")));
        }
        if !self.must_read(size) {
            return Ok(Finding::Good(format!("{size} bytes")));
        }
        let mut dropper = CacheDropper::for_reads(&stored);
        let (size, hash) = stream(&stored, &RateLimiter::unlimited(), |chunk| {
            self.on_read(chunk.len as u64);
            dropper.advance(chunk.offset + chunk.len as u64)
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Finding::bad(format!("{} became shorter while it was read", file.name)),
            _ => node.io_fault(&file.name, &error),
        })?;
        let found = FileRecord::new(&file.name, size, hash);
        match file.compare(&found, "the receipt says") {
            Ok(()) => Ok(Finding::Good(format!("{size} bytes, BLAKE3 {}", found.blake3))),
            Err(damage) => Err(Finding::Bad(damage)),
        }
    }

    fn on_read(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.options.json && self.last_report.elapsed() >= REPORT_INTERVAL {
            self.last_report = Instant::now();
            print_line(json!({ "sector": self.sector, "bytes": self.bytes, "total": self.total }));
        }
    }
}
