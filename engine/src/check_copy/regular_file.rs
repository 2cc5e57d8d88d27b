//! Opens and reads stored files past this host's page cache, as the disk or server has them.

use super::finding::Finding;
use crate::copy::direct;
use crate::failure::Failure;
use rustix::fs::{fadvise, open as open_at, Advice, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading and drops it from the page cache. The error is a finding: `Bad` if the file is
/// missing or not a regular file, `Unknown` if the machine cannot open it.
pub fn open(path: &Path) -> Result<File, Finding> {
    let name = path.display();
    // NONBLOCK, as opening a named pipe would otherwise wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match open_at(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(Finding::Bad(format!("{name} is not there"))),
        Err(Errno::LOOP) => return Err(Finding::Bad(format!("{name} is a symbolic link"))),
        Err(Errno::NXIO) => return Err(Finding::Bad(format!("{name} is not a regular file"))),
        Err(error) => return Err(io_fault(path, &error.into())),
    };
    if !file.metadata().map_err(|error| io_fault(path, &error))?.is_file() {
        return Err(Finding::Bad(format!("{name} is not a regular file")));
    }
    // For file systems on which the cache cannot be bypassed: at least the clean pages are dropped.
    fadvise(&file, 0, None, Advice::DontNeed).map_err(|error| io_fault(path, &error.into()))?;
    Ok(file)
}

/// Like [`open`], and bypasses the page cache where the file system can. Reads must be of whole blocks.
pub fn open_direct(path: &Path) -> Result<File, Finding> {
    direct::bypass_cache(open(path)?).map_err(|error| io_fault(path, &error))
}

/// Reads a small file. Of a larger one it reads only [`SMALL`] + 1 bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    // No file of ours that is read here is larger, so the length is enough to reject such a file.
    open(path)?.take(SMALL + 1).read_to_end(&mut bytes).map_err(|error| io_fault(path, &error))?;
    Ok(bytes)
}

/// Files up to this size, in bytes, are read even with `--quick`.
pub const SMALL: u64 = 64 << 10;

/// The finding for an I/O error.
pub fn io_fault(path: &Path, error: &io::Error) -> Finding {
    Finding::Unknown(Failure::io(path.display(), error))
}
