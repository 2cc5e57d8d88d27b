//! A ceiling for the rate of a copy: its own, that of all copies of the host, or both.

use super::chunks::chunk_of;
use super::schedule::{Schedule, SECOND};
use super::shared::Shared;
use std::io;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

pub struct Pace {
    start: Instant,
    own: Option<Mutex<Schedule>>,
    shared: Option<Shared>,
    /// The lower of the two limits.
    lowest: Option<u64>,
}

impl Pace {
    /// At most `bytes_per_sec` on average (0 = as fast as it goes), and together with others no more than `shared`.
    pub fn new(bytes_per_sec: u64, shared: Option<Shared>) -> Pace {
        let own = Some(bytes_per_sec).filter(|limit| *limit > 0);
        let lowest = own.into_iter().chain(shared.as_ref().map(Shared::bytes_per_sec)).min();
        let own = own.map(|limit| Mutex::new(Schedule::new(limit, 0)));
        Pace { start: Instant::now(), own, shared, lowest }
    }

    pub fn unlimited() -> Pace {
        Pace::new(0, None)
    }

    /// How many bytes to read at a time at most, `None` = any number.
    pub fn chunk(&self) -> Option<usize> {
        self.lowest.map(chunk_of)
    }

    /// Waits until `bytes` more may be read.
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
    fn both_limits_hold() {
        let dir = tempfile::tempdir().unwrap();
        let shared = |limit| Some(Shared::open(limit, &dir.path().join("limit")).unwrap());
        assert_eq!(Pace::new(1_000_000, shared(500_000)).chunk(), Some(20_000));
        assert_eq!(Pace::new(1_000_000, shared(5_000_000)).chunk(), Some(40_000));
        assert_eq!(Pace::new(0, shared(5_000_000)).chunk(), Some(200_000));
        assert_eq!(Pace::unlimited().chunk(), None);
        for (own, together) in [(1_000_000, 100_000_000), (100_000_000, 1_000_000), (0, 1_000_000)] {
            let pace = Pace::new(own, shared(together));
            let start = Instant::now();
            for _ in 0..10 {
                pace.wait_for(40_000).unwrap();
            }
            // 0.4 s, less a burst.
            assert!(start.elapsed() > Duration::from_millis(240), "{own}, {together}: {:?}", start.elapsed());
        }
    }
}
