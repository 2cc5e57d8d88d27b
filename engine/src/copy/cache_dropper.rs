//! Drops a copy from the page cache where O_DIRECT is not supported, so that it does not evict the data that P1 works
//! with.

use super::direct;
use rustix::fs::{fadvise, fdatasync, Advice};
use std::fs::File;
use std::io;
use std::num::NonZeroU64;

/// Bytes that may accumulate in the cache before they are dropped.
const DROP_EVERY_BYTES: u64 = 256 << 20;

/// Drops a file from the page cache while it is read or written sequentially.
pub struct CacheDropper<'a> {
    file: &'a File,
    writes: bool,
    /// Everything before this offset has been dropped.
    dropped: u64,
}

impl CacheDropper<'_> {
    pub fn for_reads(file: &File) -> CacheDropper<'_> {
        CacheDropper { file, writes: false, dropped: 0 }
    }

    pub fn for_writes(file: &File) -> CacheDropper<'_> {
        CacheDropper { file, writes: true, dropped: 0 }
    }

    /// Reports that everything before `end` has been read or written. Drops it once [`DROP_EVERY_BYTES`] have
    /// accumulated.
    pub fn advance(&mut self, end: u64) -> io::Result<()> {
        if end - self.dropped < DROP_EVERY_BYTES {
            return Ok(());
        }
        self.finish(end)
    }

    /// Drops everything before `end`, however little it is.
    pub fn finish(&mut self, end: u64) -> io::Result<()> {
        let Some(len) = NonZeroU64::new(end - self.dropped) else {
            return Ok(());
        };
        // Checked each time, as some file systems reject O_DIRECT only at the first write.
        if !direct::is_direct(self.file)? {
            if self.writes {
                // Only clean pages can be dropped.
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
    fn written_and_read_pages_are_dropped() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 4 << 20]).unwrap();
        if is_cached(&file, 0) != Some(true) || fstatfs(&file).unwrap().f_type as i64 == TMPFS {
            println!("SKIPPED: this file system cannot report it, or has no disk");
            return;
        }
        let mut dropper = CacheDropper::for_writes(&file);
        dropper.advance(4 << 20).unwrap();
        assert_eq!(is_cached(&file, 0), Some(true), "too little to be dropped yet");
        // The kernel drops only whole folios, which may be large, so the end of the range may stay.
        dropper.finish(4 << 20).unwrap();
        assert_eq!((is_cached(&file, 0), is_cached(&file, 3 << 20)), (Some(false), Some(false)));

        let mut block = [0; 4096];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut block, 0).unwrap();
        assert_eq!(is_cached(&file, 0), Some(true));
        CacheDropper::for_reads(&file).finish(4 << 20).unwrap();
        assert_eq!(is_cached(&file, 0), Some(false));
    }
}
