//! Reads and writes that bypass the page cache (O_DIRECT), or use it where that is not supported (tmpfs, some FUSE).

use rustix::fs::{fcntl_getfl, fcntl_setfl, OFlags};
use rustix::io::{pread, pwrite, Errno};
use std::fs::File;
use std::io;

/// With O_DIRECT, lengths, offsets and addresses must be multiples of this many bytes. 4096 is enough for every common
/// disk.
pub const BLOCK: usize = 4096;

/// `len` rounded up to a multiple of [`BLOCK`].
pub fn round_up(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

/// A buffer whose address and length are multiples of [`BLOCK`].
pub struct Aligned {
    memory: Vec<u8>,
    start: usize,
}

impl Aligned {
    pub fn new(len: usize) -> Aligned {
        let memory = vec![0; round_up(len) + BLOCK];
        let start = memory.as_ptr().align_offset(BLOCK);
        Aligned { memory, start }
    }

    pub fn bytes(&self) -> &[u8] {
        let end = self.memory.len() - BLOCK + self.start;
        &self.memory[self.start..end]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let end = self.memory.len() - BLOCK + self.start;
        &mut self.memory[self.start..end]
    }
}

/// Makes reads and writes of `file` bypass the page cache, if the file system supports it. This is not done by opening
/// with O_DIRECT, as an open that creates a file leaves the file behind when it rejects O_DIRECT.
pub fn bypass_cache(file: File) -> io::Result<File> {
    match fcntl_setfl(&file, fcntl_getfl(&file)? | OFlags::DIRECT) {
        Ok(()) | Err(Errno::INVAL) => Ok(file),
        Err(error) => Err(error.into()),
    }
}

/// Whether reads and writes of `file` bypass the page cache.
pub fn is_direct(file: &File) -> io::Result<bool> {
    Ok(fcntl_getfl(file)?.contains(OFlags::DIRECT))
}

/// Runs a read or write. If it fails with EINVAL (the file system has larger blocks, or rejects O_DIRECT only now),
/// turns O_DIRECT off for this file and tries again.
fn with_buffered_fallback(file: &File, mut attempt: impl FnMut() -> Result<usize, Errno>) -> io::Result<usize> {
    loop {
        match attempt() {
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) if is_direct(file)? => fcntl_setfl(file, fcntl_getfl(file)? - OFlags::DIRECT)?,
            result => return Ok(result?),
        }
    }
}

/// Reads `len` bytes at `offset` into the beginning of `buffer`. Fails with UnexpectedEof if the file ends before.
pub fn read_exact_at(file: &File, buffer: &mut Aligned, len: usize, offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        // O_DIRECT requires whole blocks; what is read beyond `len` is not used.
        let room = &mut buffer.bytes_mut()[done..round_up(len)];
        match with_buffered_fallback(file, || pread(file, &mut *room, offset + done as u64))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => done += n,
        }
    }
    Ok(())
}

/// Writes the first `len` bytes of `buffer` at `offset`, padded with zeros to whole blocks. The caller must truncate
/// the file to its size after the last write.
pub fn write_all_at(file: &File, buffer: &mut Aligned, len: usize, offset: u64) -> io::Result<()> {
    let padded = round_up(len);
    buffer.bytes_mut()[len..padded].fill(0);
    let mut done = 0;
    while done < padded {
        let rest = &buffer.bytes()[done..padded];
        match with_buffered_fallback(file, || pwrite(file, rest, offset + done as u64))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => done += n,
        }
    }
    Ok(())
}
