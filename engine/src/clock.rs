//! Timestamps in the format of JavaScript's `toISOString`: `2026-11-22T16:00:05.000Z`.

use std::time::{SystemTime, UNIX_EPOCH};

/// Formats a time. Times before 1970, from a clock that was never set, become 1970.
pub fn iso(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at.max(UNIX_EPOCH)).to_string()
}

/// The current time.
pub fn now() -> String {
    iso(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn formats_known_times() {
        let at = |millis| iso(UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(1_795_363_205_007), "2026-11-22T16:00:05.007Z");
        assert_eq!(iso(UNIX_EPOCH - Duration::from_secs(1)), at(0));
    }
}
