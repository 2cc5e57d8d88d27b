//! A stored file as its disk or server holds it.

use super::finding::Finding;
use crate::copy::direct;
use crate::failure::Failure;
use rustix::fs::{fadvise, open as open_at, Advice, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a plain file for reading past this host's page cache; or returns the finding instead. A file that is missing, and what is no
/// plain file, is bad; one that the machine cannot open is unknown.
pub fn open(path: &Path) -> Result<File, Finding> {
    let shown = path.display();
    // A named pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match open_at(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(Finding::Bad(format!("{shown} is not there"))),
        Err(Errno::LOOP) => return Err(Finding::Bad(format!("{shown} is a symbolic link"))),
        Err(Errno::NXIO) => return Err(Finding::Bad(format!("{shown} is no plain file"))),
        Err(error) => return Err(fault(path, &error.into())),
    };
    if !file.metadata().map_err(|error| fault(path, &error))?.is_file() {
        return Err(Finding::Bad(format!("{shown} is no plain file")));
    }
    // Where the cache cannot be bypassed, at least what is clean is dropped from it.
    fadvise(&file, 0, None, Advice::DontNeed).map_err(|error| fault(path, &error.into()))?;
    Ok(file)
}

/// As [`open`], with the cache bypassed where that can be: reads must be of whole blocks.
pub fn open_direct(path: &Path) -> Result<File, Finding> {
    direct::bypass_cache(open(path)?).map_err(|error| fault(path, &error))
}

/// The bytes of a small file.
pub fn read(path: &Path) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    // Only a file that is none of ours is larger; its size shows that.
    open(path)?.take(SMALL + 1).read_to_end(&mut bytes).map_err(|error| fault(path, &error))?;
    Ok(bytes)
}

/// Files up to this size are read whatever is asked for.
pub const SMALL: u64 = 64 << 10;

pub fn fault(path: &Path, error: &io::Error) -> Finding {
    Finding::Unknown(Failure::io(path.display(), error))
}
