//! When so many bytes may go, at so many bytes per second. Pure: times are nanoseconds since some start.

use std::time::Duration;

pub const SECOND: u64 = 1_000_000_000;
/// Time that was not used is forgotten after this long, so that a copy that stalled does not make up for it in one burst. With
/// the chunks that were in flight meanwhile ([`super::pace`]) it stays well below a tenth of any 5 s.
const BURST: u64 = SECOND * 15 / 100;

#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    bytes_per_sec: u64,
    /// When all that was booked so far is gone.
    pub next: u64,
}

impl Schedule {
    pub fn new(bytes_per_sec: u64, next: u64) -> Schedule {
        Schedule { bytes_per_sec, next }
    }

    /// Books `bytes` at time `now`; returns how long to wait before they go.
    pub fn book(&mut self, bytes: u64, now: u64) -> Duration {
        let due = self.next.max(now.saturating_sub(BURST));
        let takes = (u128::from(bytes) * u128::from(SECOND)).div_ceil(u128::from(self.bytes_per_sec));
        // Bytes count as gone when their time is over, so that the rate is kept from the first byte on.
        self.next = due.saturating_add(u64::try_from(takes).unwrap_or(u64::MAX));
        Duration::from_nanos(self.next.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunks::{chunk_of, IN_FLIGHT};
    use super::*;
    use rand::{rngs::StdRng, Rng, SeedableRng};

    const MB: u64 = 1_000_000;
    const LIMITS: [u64; 5] = [MB / 10, 20 * MB, 100 * MB, 200 * MB, 500 * MB];
    const MS: u64 = SECOND / 1000;

    /// How long reading and writing a chunk take, at most.
    struct Machine {
        usual: u64,
        /// One chunk in a hundred takes up to so long instead.
        stall: u64,
    }

    impl Machine {
        fn takes(&self, rng: &mut StdRng) -> u64 {
            let max = if rng.gen_bool(0.01) { self.stall } else { self.usual };
            rng.gen_range(0..=max)
        }
    }

    /// Moments at which bytes went.
    type Events = Vec<(u64, u64)>;

    /// A copy as `stream` makes it: paced reads into a few buffers, which the writer gives back. Returns reads and writes.
    fn copy(limit: u64, machine: &Machine, rng: &mut StdRng) -> (Events, Events) {
        let chunk = chunk_of(limit) as u64;
        let mut schedule = Schedule::new(limit, 0);
        let (mut reads, mut writes) = (Events::new(), Events::new());
        let (mut reader_free, mut writer_free) = (0, 0);
        while reader_free < 120 * SECOND {
            let i = reads.len();
            let now = reader_free.max(if i < IN_FLIGHT { 0 } else { writes[i - IN_FLIGHT].0 });
            // A busy machine wakes a sleeper late.
            let goes = now + schedule.book(chunk, now).as_nanos() as u64 + rng.gen_range(0..2 * MS);
            reads.push((goes, chunk));
            reader_free = goes + machine.takes(rng);
            writer_free = writer_free.max(reader_free) + machine.takes(rng);
            writes.push((writer_free, chunk));
        }
        (reads, writes)
    }

    fn average(events: &Events) -> f64 {
        let bytes: u64 = events.iter().map(|(_, bytes)| bytes).sum();
        bytes as f64 / (events[events.len() - 1].0 as f64 / SECOND as f64)
    }

    /// The most that went in any 5 s, as a rate.
    fn highest(events: &Events) -> f64 {
        let (mut first, mut sum, mut max) = (0, 0, 0);
        for (at, bytes) in events {
            sum += bytes;
            while events[first].0 + 5 * SECOND < *at {
                sum -= events[first].1;
                first += 1;
            }
            max = max.max(sum);
        }
        max as f64 / 5.0
    }

    #[test]
    fn no_five_seconds_are_far_above_the_limit() {
        for seed in 0..40 {
            let mut rng = StdRng::seed_from_u64(seed);
            let machine = Machine {
                usual: rng.gen_range(0..60 * MS),
                stall: rng.gen_range(0..[MS, SECOND, 12 * SECOND][seed as usize % 3]),
            };
            for limit in LIMITS {
                let (reads, writes) = copy(limit, &machine, &mut rng);
                for events in [reads, writes] {
                    let (average, highest) = (average(&events) / limit as f64, highest(&events) / limit as f64);
                    assert!(average <= 1.01, "seed {seed}, limit {limit}: {average} on average");
                    assert!(highest <= 1.08, "seed {seed}, limit {limit}: {highest} for 5 s");
                }
            }
        }
    }

    #[test]
    fn the_limit_is_reached_when_the_machine_is_fast_enough() {
        for limit in LIMITS {
            let mut rng = StdRng::seed_from_u64(limit);
            let (reads, writes) = copy(limit, &Machine { usual: 20 * MS, stall: 100 * MS }, &mut rng);
            assert!(average(&reads) > 0.98 * limit as f64 && average(&writes) > 0.98 * limit as f64);
        }
    }

    #[test]
    fn a_stall_is_not_made_up_for() {
        let mut schedule = Schedule::new(8 * MB, 0);
        assert_eq!(schedule.book(8 * MB, 0), Duration::from_secs(1));
        // After a minute of silence: the burst at once, then the usual rate.
        let now = 60 * SECOND;
        assert_eq!(schedule.book(8 * MB * 15 / 100, now), Duration::ZERO);
        assert_eq!(schedule.book(8 * MB, now), Duration::from_secs(1));
    }

    #[test]
    fn times_that_no_clock_reaches() {
        let mut schedule = Schedule::new(1, u64::MAX - 1);
        assert!(schedule.book(u64::MAX, 0) > Duration::from_secs(1 << 30));
    }
}
