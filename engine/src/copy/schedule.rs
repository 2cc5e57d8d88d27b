//! Computes when bytes may be sent at a given rate. It does no I/O; times are nanoseconds since an arbitrary start.

use std::time::Duration;

pub const SECOND: u64 = 1_000_000_000;
/// Unused time expires after this long, so that a copy does not catch up after a stall. Together with the chunks in
/// flight ([`super::chunks`]) a burst stays well below a tenth of what the limit allows in 5 s.
const BURST: u64 = SECOND * 15 / 100;

#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    bytes_per_sec: u64,
    /// The time at which everything booked so far has been sent.
    pub next: u64,
}

impl Schedule {
    pub fn new(bytes_per_sec: u64, next: u64) -> Schedule {
        Schedule { bytes_per_sec, next }
    }

    /// Books `bytes` at the time `now` and returns how long to wait before sending them.
    pub fn book(&mut self, bytes: u64, now: u64) -> Duration {
        let due = self.next.max(now.saturating_sub(BURST));
        let duration = (u128::from(bytes) * u128::from(SECOND)).div_ceil(u128::from(self.bytes_per_sec));
        // The wait includes the time of these bytes, so that the limit holds from the first byte on.
        self.next = due.saturating_add(u64::try_from(duration).unwrap_or(u64::MAX));
        Duration::from_nanos(self.next.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunks::{chunk_bytes, IN_FLIGHT};
    use super::*;
    use rand::{rngs::StdRng, Rng, SeedableRng};

    const MB: u64 = 1_000_000;
    const LIMITS: [u64; 5] = [MB / 10, 20 * MB, 100 * MB, 200 * MB, 500 * MB];
    const MS: u64 = SECOND / 1000;

    /// The maximum time, in nanoseconds, that reading or writing a chunk takes.
    struct Machine {
        usual: u64,
        /// The maximum for one chunk in a hundred.
        stall: u64,
    }

    impl Machine {
        fn sample_duration(&self, rng: &mut StdRng) -> u64 {
            let max = if rng.gen_bool(0.01) { self.stall } else { self.usual };
            rng.gen_range(0..=max)
        }
    }

    /// Times, and how many bytes were sent at each.
    type Events = Vec<(u64, u64)>;

    /// Simulates `stream`: rate-limited reads into a few buffers, which the writer returns. Returns reads and writes.
    fn copy(limit: u64, machine: &Machine, rng: &mut StdRng) -> (Events, Events) {
        let chunk = chunk_bytes(limit) as u64;
        let mut schedule = Schedule::new(limit, 0);
        let (mut reads, mut writes) = (Events::new(), Events::new());
        let (mut reader_free, mut writer_free) = (0, 0);
        while reader_free < 120 * SECOND {
            let i = reads.len();
            let now = reader_free.max(if i < IN_FLIGHT { 0 } else { writes[i - IN_FLIGHT].0 });
            // On a busy machine a thread wakes up late.
            let sent_at = now + schedule.book(chunk, now).as_nanos() as u64 + rng.gen_range(0..2 * MS);
            reads.push((sent_at, chunk));
            reader_free = sent_at + machine.sample_duration(rng);
            writer_free = writer_free.max(reader_free) + machine.sample_duration(rng);
            writes.push((writer_free, chunk));
        }
        (reads, writes)
    }

    fn average_rate(events: &Events) -> f64 {
        let bytes: u64 = events.iter().map(|(_, bytes)| bytes).sum();
        bytes as f64 / (events[events.len() - 1].0 as f64 / SECOND as f64)
    }

    /// The maximum rate in any 5 s.
    fn max_rate(events: &Events) -> f64 {
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
    fn the_limit_holds_within_any_five_seconds() {
        for seed in 0..40 {
            let mut rng = StdRng::seed_from_u64(seed);
            let machine = Machine {
                usual: rng.gen_range(0..60 * MS),
                stall: rng.gen_range(0..[MS, SECOND, 12 * SECOND][seed as usize % 3]),
            };
            for limit in LIMITS {
                let (reads, writes) = copy(limit, &machine, &mut rng);
                for events in [reads, writes] {
                    let (average, max) = (average_rate(&events) / limit as f64, max_rate(&events) / limit as f64);
                    assert!(average <= 1.01, "seed {seed}, limit {limit}: {average} on average");
                    assert!(max <= 1.08, "seed {seed}, limit {limit}: {max} for 5 s");
                }
            }
        }
    }

    #[test]
    fn a_fast_machine_reaches_the_limit() {
        for limit in LIMITS {
            let mut rng = StdRng::seed_from_u64(limit);
            let (reads, writes) = copy(limit, &Machine { usual: 20 * MS, stall: 100 * MS }, &mut rng);
            assert!(average_rate(&reads) > 0.98 * limit as f64 && average_rate(&writes) > 0.98 * limit as f64);
        }
    }

    #[test]
    fn a_copy_does_not_catch_up_after_a_stall() {
        let mut schedule = Schedule::new(8 * MB, 0);
        assert_eq!(schedule.book(8 * MB, 0), Duration::from_secs(1));
        // After an idle minute: one burst without a wait, then the usual rate.
        let now = 60 * SECOND;
        assert_eq!(schedule.book(8 * MB * 15 / 100, now), Duration::ZERO);
        assert_eq!(schedule.book(8 * MB, now), Duration::from_secs(1));
    }

    #[test]
    fn huge_times_do_not_overflow() {
        let mut schedule = Schedule::new(1, u64::MAX - 1);
        assert!(schedule.book(u64::MAX, 0) > Duration::from_secs(1 << 30));
    }
}
