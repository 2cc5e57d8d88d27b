//! Log lines to stderr (the attempt's `log`), as RUST_LOG asks, and the library's lines to [`progress`].

use crate::clock;
use crate::progress;
use log::{LevelFilter, Log, Metadata, Record};
use std::io::Write;
use std::str::FromStr;

/// `RUST_LOG`: directives `level` or `target=level`, separated by commas; the longest target that fits decides. Default info.
struct Filter(Vec<(String, LevelFilter)>);

impl Filter {
    fn parse(text: &str) -> Filter {
        let directive = |part: &str| match part.split_once('=') {
            Some((target, level)) => Some((target.trim().to_owned(), LevelFilter::from_str(level.trim()).ok()?)),
            None => match LevelFilter::from_str(part) {
                Ok(level) => Some((String::new(), level)),
                Err(_) => Some((part.to_owned(), LevelFilter::Trace)),
            },
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut directives: Vec<_> = parts.filter_map(directive).collect();
        if directives.is_empty() {
            directives.push((String::new(), LevelFilter::Info));
        }
        directives.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Filter(directives)
    }

    fn level(&self, target: &str) -> LevelFilter {
        let fits = self.0.iter().find(|(prefix, _)| target.starts_with(prefix.as_str()));
        fits.map_or(LevelFilter::Off, |(_, level)| *level)
    }

    fn highest(&self) -> LevelFilter {
        self.0.iter().map(|(_, level)| *level).max().unwrap_or(LevelFilter::Off)
    }
}

impl Log for Filter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level(metadata.target()).max(LevelFilter::Info)
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        if !record.target().starts_with("sealflow_engine") {
            progress::heard(&line);
        }
        if record.level() <= self.level(record.target()) {
            // One write for one line; a log that cannot be written must not end a phase.
            let text = format!("{} {:5} {}: {line}\n", clock::now(), record.level(), record.target());
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Installs the logger. The library's info lines always reach `progress`, whatever RUST_LOG says.
/// `default` is what holds without RUST_LOG.
pub fn start(default: &str) {
    let asked = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let filter = Filter::parse(asked.as_deref().unwrap_or(default));
    log::set_max_level(filter.highest().max(LevelFilter::Info));
    // Only a second logger could make this fail, and there is none.
    let _ = log::set_boxed_logger(Box::new(filter));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_log() {
        let level = |text, target| Filter::parse(text).level(target);
        assert_eq!(level("", "x"), LevelFilter::Info);
        assert_eq!(level("debug", "x"), LevelFilter::Debug);
        assert_eq!(level("warn,storage_proofs_porep=trace", "storage_proofs_porep::stacked"), LevelFilter::Trace);
        assert_eq!(level("warn,storage_proofs_porep=trace", "bellperson"), LevelFilter::Warn);
        assert_eq!(level("bellperson", "bellperson::gpu"), LevelFilter::Trace);
        assert_eq!(level("bellperson=off,info", "bellperson"), LevelFilter::Off);
        assert_eq!(level("x=nonsense", "x"), LevelFilter::Info);
    }
}
