//! Limits the rate of a copy: by its own limit, by the limit of all copies of the host, or by both.

use super::chunks::chunk_bytes;
use super::schedule::{Schedule, SECOND};
use super::shared_limiter::SharedLimiter;
use std::io;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

pub struct RateLimiter {
    start: Instant,
    own: Option<Mutex<Schedule>>,
    shared: Option<SharedLimiter>,
    /// The lower of the two limits, in bytes per second.
    lowest: Option<u64>,
}

impl RateLimiter {
    /// At most `bytes_per_sec` on average (0 means no limit), and together with other copies at most what `shared`
    /// allows.
    pub fn new(bytes_per_sec: u64, shared: Option<SharedLimiter>) -> RateLimiter {
        let own = Some(bytes_per_sec).filter(|limit| *limit > 0);
        let lowest = own.into_iter().chain(shared.as_ref().map(SharedLimiter::bytes_per_sec)).min();
        let own = own.map(|limit| Mutex::new(Schedule::new(limit, 0)));
        RateLimiter { start: Instant::now(), own, shared, lowest }
    }

    pub fn unlimited() -> RateLimiter {
        RateLimiter::new(0, None)
    }

    /// Maximum number of bytes to read at a time; `None` means no maximum.
    pub fn max_chunk(&self) -> Option<usize> {
        self.lowest.map(chunk_bytes)
    }

    /// Waits until `bytes` more may be read. Fails if the file of the shared limit cannot be used.
    pub fn wait_for(&self, bytes: u64) -> io::Result<()> {
        if let Some(schedule) = &self.own {
            let now = self.start.elapsed();
            let now = now.as_secs() * SECOND + u64::from(now.subsec_nanos());
            let wait = schedule.lock().expect("a panic ends the process").book(bytes, now);
            thread::sleep(wait);
        }
        self.shared.as_ref().map_or(Ok(()), |shared| shared.wait_for(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn both_limits_apply() {
        let dir = tempfile::tempdir().unwrap();
        let shared = |limit| Some(SharedLimiter::open(limit, &dir.path().join("limit")).unwrap());
        assert_eq!(RateLimiter::new(1_000_000, shared(500_000)).max_chunk(), Some(20_000));
        assert_eq!(RateLimiter::new(1_000_000, shared(5_000_000)).max_chunk(), Some(40_000));
        assert_eq!(RateLimiter::new(0, shared(5_000_000)).max_chunk(), Some(200_000));
        assert_eq!(RateLimiter::unlimited().max_chunk(), None);
        for (own, shared_limit) in [(1_000_000, 100_000_000), (100_000_000, 1_000_000), (0, 1_000_000)] {
            let limiter = RateLimiter::new(own, shared(shared_limit));
            let start = Instant::now();
            for _ in 0..10 {
                limiter.wait_for(40_000).unwrap();
            }
            // 0.4 s, minus a burst.
            assert!(start.elapsed() > Duration::from_millis(240), "{own}, {shared_limit}: {:?}", start.elapsed());
        }
    }
}
