//! The logger. It writes the lines that `RUST_LOG` selects to stderr (the attempt's `log`) and passes the library's
//! lines to [`progress`].

use crate::clock;
use crate::progress;
use env_filter::Filter;
use log::{LevelFilter, Log, Metadata, Record};
use std::io::Write;

struct Logger(Filter);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Info || self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        if !record.target().starts_with("sealflow_engine") {
            progress::on_log_line(&line);
        }
        if self.0.matches(record) {
            // One write per line. A log that cannot be written must not end a phase, so errors are ignored.
            let text = format!("{} {:5} {}: {line}\n", clock::now(), record.level(), record.target());
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Installs the logger. `default` applies if `RUST_LOG` is unset or invalid. `progress` receives the library's info
/// lines in any case.
pub fn start(default: LevelFilter) {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref(), default);
    log::set_max_level(filter.filter().max(LevelFilter::Info));
    // Fails only if a logger is installed already.
    let _ = log::set_boxed_logger(Box::new(Logger(filter)));
}

fn filter(rust_log: Option<&str>, default: LevelFilter) -> Filter {
    let mut filter = env_filter::Builder::new();
    match rust_log.map(str::trim) {
        Some(text) if !text.is_empty() && filter.try_parse(text).is_ok() => {}
        _ => {
            filter.filter_level(default);
        }
    }
    filter.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    #[test]
    fn rust_log_selects_lines() {
        let logs = |text, target, level| {
            let metadata = Metadata::builder().target(target).level(level).build();
            filter(text, LevelFilter::Info).enabled(&metadata)
        };
        for default in [None, Some(""), Some("x=nonsense")] {
            assert!(logs(default, "x", Level::Info) && !logs(default, "x", Level::Debug), "{default:?}");
        }
        assert!(logs(Some("warn,bellperson=trace"), "bellperson::gpu", Level::Trace));
        assert!(!logs(Some("warn,bellperson=trace"), "x", Level::Info));
        assert!(!logs(Some("bellperson=off,info"), "bellperson", Level::Error));
    }
}
