//! One rate limit for all copies of a host, across processes. Their common schedule is in a small file.

use super::schedule::{Schedule, SECOND};
use crate::failure::{Failure, Outcome};
use rustix::fs::{flock, open, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{pread, pwrite, Errno};
use rustix::time::{clock_gettime, ClockId};
use std::fmt::Display;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Bytes are booked in pieces that take this long, whatever the size of a copy's chunks, so that all copies get equal
/// shares.
const PIECE_MS: u64 = 2;
/// The file has one decimal number with this many digits, and a newline.
const DIGITS: usize = 20;
/// No number of copies books this far ahead. A time that is further ahead is from before a reboot, which restarted the
/// clock.
const MAX_AHEAD: u64 = 60 * SECOND;

pub struct SharedLimiter {
    bytes_per_sec: u64,
    file: OwnedFd,
    path: PathBuf,
}

impl SharedLimiter {
    /// `bytes_per_sec` must be greater than 0. The file is created if it is missing. A file that cannot be used is a
    /// passing fault, as a copy without it would exceed the host's limit.
    pub fn open(bytes_per_sec: u64, path: &Path) -> Outcome<SharedLimiter> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(path, flags, Mode::from_raw_mode(0o600)).and_then(|file| {
            let is_regular = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::RegularFile;
            Ok((file, is_regular))
        });
        let file = match opened {
            Ok((file, true)) => file,
            Ok((_, false)) => {
                return Err(Failure::PassingFault(describe(path, "it is not a regular file").to_string()))
            }
            Err(error) => return Err(Failure::PassingFault(describe(path, error).to_string())),
        };
        Ok(SharedLimiter { bytes_per_sec, file, path: path.to_owned() })
    }

    pub fn bytes_per_sec(&self) -> u64 {
        self.bytes_per_sec
    }

    /// Waits until `bytes` more may be sent.
    pub fn wait_for(&self, mut bytes: u64) -> io::Result<()> {
        let piece = piece_bytes(self.bytes_per_sec);
        while bytes > 0 {
            let booked = bytes.min(piece);
            let wait = self.book(booked).map_err(|error| describe(&self.path, error))?;
            thread::sleep(wait);
            bytes -= booked;
        }
        Ok(())
    }

    fn book(&self, bytes: u64) -> io::Result<Duration> {
        // The kernel releases the lock of a process that dies.
        retry_interrupted(|| flock(&self.file, FlockOperation::LockExclusive))?;
        let booked = self.book_locked(bytes);
        flock(&self.file, FlockOperation::Unlock)?;
        booked
    }

    fn book_locked(&self, bytes: u64) -> io::Result<Duration> {
        let mut text = [0; DIGITS];
        let len = retry_interrupted(|| pread(&self.file, &mut text, 0))?;
        let now = monotonic_nanos();
        let mut schedule = Schedule::new(self.bytes_per_sec, parse_next(&text[..len], now));
        let wait = schedule.book(bytes, now);
        let text = format!("{:0DIGITS$}\n", schedule.next);
        match retry_interrupted(|| pwrite(&self.file, text.as_bytes(), 0))? {
            n if n == text.len() => Ok(wait),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// The time in the file, or 0 if it is missing or cannot be right.
fn parse_next(text: &[u8], now: u64) -> u64 {
    let next = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if next > now.saturating_add(MAX_AHEAD) {
        0
    } else {
        next
    }
}

fn piece_bytes(bytes_per_sec: u64) -> u64 {
    (bytes_per_sec.saturating_mul(PIECE_MS) / 1000).max(1)
}

fn retry_interrupted<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

/// The error loses its number on purpose: a full /dev/shm must not be reported as a full storage node.
fn describe(path: &Path, reason: impl Display) -> io::Error {
    io::Error::other(format!("the host's shared limit {}: {reason}", path.display()))
}

/// CLOCK_MONOTONIC in nanoseconds, which is the same in all processes of the host.
fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::super::chunks::chunk_bytes;
    use super::*;
    use std::fs;
    use std::os::unix::fs::{symlink, PermissionsExt};
    use std::time::Instant;

    #[test]
    fn copies_keep_the_limit_together() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("limit");
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // Like another process, each thread has its own file description, to which flock applies.
                    let shared = SharedLimiter::open(10_000_000, &path).unwrap();
                    for _ in 0..5 {
                        shared.wait_for(400_000).unwrap();
                    }
                });
            }
        });
        // 6 MB in 0.6 s, minus one burst for all of them.
        assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// Simulates copies with these own limits under a shared limit. Returns the bytes that each one copies in 10 s.
    fn shares(shared: u64, own: &[u64]) -> Vec<u64> {
        struct Copy {
            own: Schedule,
            chunk: u64,
            left: u64,
            free: u64,
            got: u64,
        }
        let mut copies: Vec<Copy> = own
            .iter()
            .map(|&limit| {
                let chunk = chunk_bytes(limit.min(shared)) as u64;
                Copy { own: Schedule::new(limit, 0), chunk, left: 0, free: 0, got: 0 }
            })
            .collect();
        let mut all = Schedule::new(shared, 0);
        loop {
            let copy = copies.iter_mut().min_by_key(|copy| copy.free).unwrap();
            let now = copy.free;
            if now > 10 * SECOND {
                return copies.iter().map(|copy| copy.got).collect();
            }
            if copy.left == 0 {
                copy.left = copy.chunk;
                copy.free = now + copy.own.book(copy.chunk, now).as_nanos() as u64;
                continue;
            }
            let piece = copy.left.min(piece_bytes(shared));
            copy.free = now + all.book(piece, now).as_nanos() as u64;
            copy.left -= piece;
            copy.got += piece;
        }
    }

    #[test]
    fn copies_get_equal_shares() {
        const MB: u64 = 1_000_000;
        let assert_share =
            |got: u64, mb: f64| assert!((got as f64 / 10e6 - mb).abs() < 0.08 * mb, "{got} in 10 s, not {mb} MB/s");
        for got in shares(100 * MB, &[500 * MB; 4]) {
            assert_share(got, 25.0);
        }
        // A copy that needs less than its share gets what it needs; the others share the rest.
        let got = shares(100 * MB, &[20 * MB, 500 * MB, 60 * MB]);
        assert_share(got[0], 20.0);
        assert_share(got[1], 40.0);
        assert_share(got[2], 40.0);
        assert_share(shares(100 * MB, &[20 * MB, 30 * MB])[1], 30.0);
    }

    #[test]
    fn an_invalid_time_is_ignored() {
        assert_eq!(parse_next(b"00000000000000000500", 400), 500);
        assert_eq!(parse_next(b"00000000070000000000", SECOND), 0);
        for text in [&b""[..], b"x", b"99999999999999999999", b"-1", b"\xff"] {
            assert_eq!(parse_next(text, 400), 0);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("limit");
        fs::write(&path, "18446744073709551615\nand more").unwrap();
        let shared = SharedLimiter::open(1_000_000, &path).unwrap();
        shared.wait_for(1000).unwrap();
        let next: u64 = fs::read_to_string(&path).unwrap().lines().next().unwrap().parse().unwrap();
        assert!(next <= monotonic_nanos() + SECOND);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        symlink("elsewhere", dir.path().join("link")).unwrap();
        for path in [dir.path().to_owned(), dir.path().join("link"), dir.path().join("no/file"), "/dev/null".into()] {
            let Err(Failure::PassingFault(message)) = SharedLimiter::open(1, &path) else {
                panic!("{} was opened", path.display());
            };
            assert!(message.contains(path.to_str().unwrap()), "{message}");
        }
        assert!(!dir.path().join("elsewhere").exists());
    }
}
