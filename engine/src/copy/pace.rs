//! A ceiling for the rate of a copy.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Time that was not used is forgotten after this long, so that a copy that stalled does not make up for it in one burst.
const BURST: Duration = Duration::from_secs(1);

/// When a number of bytes may go, at so many bytes per second. Pure: times are durations since the start.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    bytes_per_sec: u64,
    next: Duration,
}

impl Schedule {
    /// Books `bytes` at time `now`; returns how long to wait before they go.
    fn book(&mut self, bytes: u64, now: Duration) -> Duration {
        let due = self.next.max(now.saturating_sub(BURST));
        self.next = due + Duration::from_secs_f64(bytes as f64 / self.bytes_per_sec as f64);
        // Bytes count as gone when their time is over, so that the rate is kept from the first byte on.
        self.next.saturating_sub(now)
    }
}

pub struct Pace {
    start: Instant,
    schedule: Option<Mutex<Schedule>>,
}

impl Pace {
    /// At most `bytes_per_sec` on average; 0 = as fast as it goes.
    pub fn new(bytes_per_sec: u64) -> Pace {
        let schedule = (bytes_per_sec > 0).then(|| Mutex::new(Schedule { bytes_per_sec, next: Duration::ZERO }));
        Pace { start: Instant::now(), schedule }
    }

    pub fn unlimited() -> Pace {
        Pace::new(0)
    }

    /// Waits until `bytes` more may be read.
    pub fn wait_for(&self, bytes: u64) {
        if let Some(schedule) = &self.schedule {
            let wait = schedule.lock().expect("a panic ends the process").book(bytes, self.start.elapsed());
            thread::sleep(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    /// Copies `chunks` of 8 MB, each of which takes `each` to read; returns bytes per second.
    fn rate(limit: u64, chunks: u64, each: Duration) -> f64 {
        let mut schedule = Schedule { bytes_per_sec: limit, next: Duration::ZERO };
        let mut now = Duration::ZERO;
        for _ in 0..chunks {
            now += schedule.book(8 * MB, now) + each;
        }
        (chunks * 8 * MB) as f64 / now.as_secs_f64()
    }

    #[test]
    fn never_faster_than_the_limit_on_average() {
        for limit in [20 * MB, 100 * MB, 500 * MB] {
            for chunks in [1, 2, 10, 1000] {
                for each in [0.0, 0.001, 0.02, 3.0] {
                    let rate = rate(limit, chunks, seconds(each));
                    assert!(rate <= limit as f64 * 1.0001, "{rate} over {limit}");
                }
            }
        }
    }

    #[test]
    fn reaches_the_limit_when_reading_is_fast_enough() {
        assert!(rate(500 * MB, 1000, seconds(0.01)) > 495e6);
    }

    #[test]
    fn a_stall_is_not_made_up_for() {
        let mut schedule = Schedule { bytes_per_sec: 8 * MB, next: Duration::ZERO };
        schedule.book(8 * MB, Duration::ZERO);
        // After a minute of silence: a second's worth at once, then the usual rate.
        assert_eq!(schedule.book(8 * MB, seconds(60.0)), Duration::ZERO);
        assert_eq!(schedule.book(8 * MB, seconds(60.0)), seconds(1.0));
    }
}
