//! Where O_DIRECT is refused a copy goes through the page cache: there it must not push out what P1 works with.

use super::direct;
use rustix::fs::{fadvise, fdatasync, Advice};
use std::fs::File;
use std::io;
use std::num::NonZeroU64;

/// So much may pile up before it is dropped.
const EVERY: u64 = 256 << 20;

/// A file that is read or written from its start on.
pub struct CacheDropper<'a> {
    file: &'a File,
    writes: bool,
    /// Everything before this was dropped.
    dropped: u64,
}

impl CacheDropper<'_> {
    pub fn of_reads(file: &File) -> CacheDropper<'_> {
        CacheDropper { file, writes: false, dropped: 0 }
    }

    pub fn of_writes(file: &File) -> CacheDropper<'_> {
        CacheDropper { file, writes: true, dropped: 0 }
    }

    /// All before `end` has been read or written.
    pub fn up_to(&mut self, end: u64) -> io::Result<()> {
        if end - self.dropped < EVERY {
            return Ok(());
        }
        self.all(end)
    }

    /// As [`CacheDropper::up_to`], however little it is.
    pub fn all(&mut self, end: u64) -> io::Result<()> {
        let Some(len) = NonZeroU64::new(end - self.dropped) else {
            return Ok(());
        };
        // Asked each time: O_DIRECT may be refused by the first write only.
        if !direct::is_direct(self.file)? {
            if self.writes {
                // Only what is on the disk can be dropped.
                fdatasync(self.file)?;
            }
            fadvise(self.file, self.dropped, Some(len), Advice::DontNeed)?;
        }
        self.dropped = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fstatfs;
    use rustix::io::{preadv2, ReadWriteFlags};
    use std::io::{IoSliceMut, Write};

    const TMPFS: i64 = 0x0102_1994;

    /// Whether the block at `offset` is in the page cache. `None`: this file system cannot report it.
    fn is_cached(file: &File, offset: u64) -> Option<bool> {
        let mut block = [0; 4096];
        match preadv2(file, &mut [IoSliceMut::new(&mut block)], offset, ReadWriteFlags::NOWAIT) {
            Ok(_) => Some(true),
            Err(rustix::io::Errno::AGAIN) => Some(false),
            Err(_) => None,
        }
    }

    #[test]
    fn what_was_written_or_read_is_dropped() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 4 << 20]).unwrap();
        if is_cached(&file, 0) != Some(true) || fstatfs(&file).unwrap().f_type as i64 == TMPFS {
            println!("SKIPPED: this file system cannot report it, or has no disk");
            return;
        }
        let mut dropper = CacheDropper::of_writes(&file);
        dropper.up_to(4 << 20).unwrap();
        assert_eq!(is_cached(&file, 0), Some(true), "not worth it yet");
        // The kernel drops whole folios only, which may be large: what lies across an end stays.
        dropper.all(4 << 20).unwrap();
        assert_eq!((is_cached(&file, 0), is_cached(&file, 3 << 20)), (Some(false), Some(false)));

        let mut block = [0; 4096];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut block, 0).unwrap();
        assert_eq!(is_cached(&file, 0), Some(true));
        CacheDropper::of_reads(&file).all(4 << 20).unwrap();
        assert_eq!(is_cached(&file, 0), Some(false));
    }
}
