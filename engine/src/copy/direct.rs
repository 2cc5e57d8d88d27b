//! Reading and writing past the page cache (O_DIRECT), with the page cache where that is refused (tmpfs, some FUSE).

use rustix::fs::{fcntl_getfl, fcntl_setfl, OFlags};
use rustix::io::{pread, pwrite, Errno};
use std::fs::File;
use std::io;

/// What O_DIRECT wants lengths, offsets and addresses to be multiples of; 4096 suits every disk there is.
pub const BLOCK: usize = 4096;

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

/// Lets reads and writes of `file` bypass the page cache; leaves it as it is where that is refused. Done after opening: an open
/// that creates a file makes it even when it then refuses O_DIRECT.
pub fn bypass_cache(file: File) -> io::Result<File> {
    match fcntl_setfl(&file, fcntl_getfl(&file)? | OFlags::DIRECT) {
        Ok(()) | Err(Errno::INVAL) => Ok(file),
        Err(error) => Err(error.into()),
    }
}

pub fn is_direct(file: &File) -> io::Result<bool> {
    Ok(fcntl_getfl(file)?.contains(OFlags::DIRECT))
}

/// Runs a read or write; when O_DIRECT refuses it (EINVAL: the file system's block is larger, or it said yes at open only), turns
/// O_DIRECT off for this file and runs it again.
fn or_buffered(file: &File, mut attempt: impl FnMut() -> Result<usize, Errno>) -> io::Result<usize> {
    loop {
        match attempt() {
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) if is_direct(file)? => fcntl_setfl(file, fcntl_getfl(file)? - OFlags::DIRECT)?,
            done => return Ok(done?),
        }
    }
}

/// Fills the first `len` bytes of `buffer` from `offset`. UnexpectedEof when the file ends before.
pub fn read_exact_at(file: &File, buffer: &mut Aligned, len: usize, offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        // Whole blocks are asked for, as O_DIRECT wants it; what lies behind `len` is not used.
        let room = &mut buffer.bytes_mut()[done..round_up(len)];
        match or_buffered(file, || pread(file, &mut *room, offset + done as u64))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => done += n,
        }
    }
    Ok(())
}

/// Writes the first `len` bytes of `buffer` at `offset`, padded with zeros to whole blocks: whoever writes the last ones cuts
/// the file to its size afterwards.
pub fn write_all_at(file: &File, buffer: &mut Aligned, len: usize, offset: u64) -> io::Result<()> {
    let padded = round_up(len);
    buffer.bytes_mut()[len..padded].fill(0);
    let mut done = 0;
    while done < padded {
        let rest = &buffer.bytes()[done..padded];
        match or_buffered(file, || pwrite(file, rest, offset + done as u64))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => done += n,
        }
    }
    Ok(())
}
