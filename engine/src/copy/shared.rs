//! One ceiling for all copies of a host, whichever process makes them: the schedule of all is kept in a small file.

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

/// Bytes are booked in pieces that take so many milliseconds, whatever a copy's chunks are, so that copies take turns as equals.
const PIECE_MS: u64 = 2;
/// The file holds one number in decimal, in so many digits, and a newline.
const DIGITS: usize = 20;
/// No number of copies books so far ahead; a clock that was set back by a new boot does.
const ABSURD: u64 = 60 * SECOND;

pub struct Shared {
    bytes_per_sec: u64,
    file: OwnedFd,
    path: PathBuf,
}

impl Shared {
    /// `bytes_per_sec` must be more than 0. The file is made when it is not there. One that cannot be used is a fault: to copy
    /// without it would break what was promised for the host.
    pub fn open(bytes_per_sec: u64, path: &Path) -> Outcome<Shared> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(path, flags, Mode::from_raw_mode(0o600)).and_then(|file| {
            let plain = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::RegularFile;
            Ok((file, plain))
        });
        let file = match opened {
            Ok((file, true)) => file,
            Ok((_, false)) => return Err(Failure::PassingFault(describe(path, "it is no plain file").to_string())),
            Err(error) => return Err(Failure::PassingFault(describe(path, error).to_string())),
        };
        Ok(Shared { bytes_per_sec, file, path: path.to_owned() })
    }

    pub fn bytes_per_sec(&self) -> u64 {
        self.bytes_per_sec
    }

    /// Waits until `bytes` more may go.
    pub fn wait_for(&self, mut bytes: u64) -> io::Result<()> {
        let piece = piece_of(self.bytes_per_sec);
        while bytes > 0 {
            let now = bytes.min(piece);
            let wait = self.book(now).map_err(|error| describe(&self.path, error))?;
            thread::sleep(wait);
            bytes -= now;
        }
        Ok(())
    }

    fn book(&self, bytes: u64) -> io::Result<Duration> {
        // A holder that dies lets go.
        again(|| flock(&self.file, FlockOperation::LockExclusive))?;
        let booked = self.book_locked(bytes);
        flock(&self.file, FlockOperation::Unlock)?;
        booked
    }

    fn book_locked(&self, bytes: u64) -> io::Result<Duration> {
        let mut text = [0; DIGITS];
        let len = again(|| pread(&self.file, &mut text, 0))?;
        let now = monotonic();
        let mut schedule = Schedule::new(self.bytes_per_sec, next_of(&text[..len], now));
        let wait = schedule.book(bytes, now);
        let text = format!("{:0DIGITS$}\n", schedule.next);
        match again(|| pwrite(&self.file, text.as_bytes(), 0))? {
            n if n == text.len() => Ok(wait),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// The time in the file, or 0 (never) where it cannot be right.
fn next_of(text: &[u8], now: u64) -> u64 {
    let next = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if next > now.saturating_add(ABSURD) {
        0
    } else {
        next
    }
}

fn piece_of(bytes_per_sec: u64) -> u64 {
    (bytes_per_sec.saturating_mul(PIECE_MS) / 1000).max(1)
}

fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

/// Of no special kind: a full /dev/shm is not a full storage node.
fn describe(path: &Path, why: impl Display) -> io::Error {
    io::Error::other(format!("the host's shared limit {}: {why}", path.display()))
}

/// Nanoseconds of CLOCK_MONOTONIC: since boot, the same for all processes of the host.
fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::super::chunks::chunk_of;
    use super::*;
    use std::fs;
    use std::os::unix::fs::{symlink, PermissionsExt};
    use std::time::Instant;

    #[test]
    fn together_they_keep_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("limit");
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // A file descriptor of its own, as another process has it: flock goes by that.
                    let shared = Shared::open(10_000_000, &path).unwrap();
                    for _ in 0..5 {
                        shared.wait_for(400_000).unwrap();
                    }
                });
            }
        });
        // 6 MB in 0.6 s, less one burst for all of them.
        assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// What each of the copies, which have these limits of their own, gets of a shared limit: bytes in 10 s.
    fn shares(together: u64, own: &[u64]) -> Vec<u64> {
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
                let chunk = chunk_of(limit.min(together)) as u64;
                Copy { own: Schedule::new(limit, 0), chunk, left: 0, free: 0, got: 0 }
            })
            .collect();
        let mut all = Schedule::new(together, 0);
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
            let piece = copy.left.min(piece_of(together));
            copy.free = now + all.book(piece, now).as_nanos() as u64;
            copy.left -= piece;
            copy.got += piece;
        }
    }

    #[test]
    fn copies_share_fairly() {
        const MB: u64 = 1_000_000;
        let about =
            |got: u64, mb: f64| assert!((got as f64 / 10e6 - mb).abs() < 0.08 * mb, "{got} in 10 s, not {mb} MB/s");
        for got in shares(100 * MB, &[500 * MB; 4]) {
            about(got, 25.0);
        }
        // A copy that wants less than its share gets what it wants, and the others share the rest.
        let got = shares(100 * MB, &[20 * MB, 500 * MB, 60 * MB]);
        about(got[0], 20.0);
        about(got[1], 40.0);
        about(got[2], 40.0);
        about(shares(100 * MB, &[20 * MB, 30 * MB])[1], 30.0);
    }

    #[test]
    fn what_cannot_be_right_is_ignored() {
        assert_eq!(next_of(b"00000000000000000500", 400), 500);
        assert_eq!(next_of(b"00000000070000000000", SECOND), 0);
        for text in [&b""[..], b"x", b"99999999999999999999", b"-1", b"\xff"] {
            assert_eq!(next_of(text, 400), 0);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("limit");
        fs::write(&path, "18446744073709551615\nand more").unwrap();
        let shared = Shared::open(1_000_000, &path).unwrap();
        shared.wait_for(1000).unwrap();
        let next: u64 = fs::read_to_string(&path).unwrap().lines().next().unwrap().parse().unwrap();
        assert!(next <= monotonic() + SECOND);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        symlink("elsewhere", dir.path().join("link")).unwrap();
        for path in [dir.path().to_owned(), dir.path().join("link"), dir.path().join("no/file"), "/dev/null".into()] {
            let Err(Failure::PassingFault(message)) = Shared::open(1, &path) else {
                panic!("{} was opened", path.display());
            };
            assert!(message.contains(path.to_str().unwrap()), "{message}");
        }
        assert!(!dir.path().join("elsewhere").exists());
    }
}
