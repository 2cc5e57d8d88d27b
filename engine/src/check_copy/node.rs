//! The storage node. Its files are opened and read past this host's page cache, as the disk or server has them.

use super::finding::Finding;
use crate::copy::direct;
use crate::copy::staging::open_node;
use crate::failure::{Failure, Outcome};
use rustix::fs::{fadvise, openat, Advice, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An open storage node. All access goes through its file descriptor: if the node is unmounted meanwhile, no file seems
/// to be missing.
pub struct Node {
    dir: OwnedFd,
    /// For messages.
    path: PathBuf,
}

impl Node {
    /// Fails if the directory does not exist, as then the node is not mounted.
    pub fn open(path: &Path) -> Outcome<Node> {
        Ok(Node { dir: open_node(path)?, path: path.to_owned() })
    }

    /// Opens a regular file for reading and drops it from the page cache. The error is a finding: `Bad` if the file is
    /// missing or not a regular file, `NotChecked` if the machine cannot open it.
    pub fn open_file(&self, name: &str) -> Result<File, Finding> {
        // NONBLOCK, as opening a named pipe would otherwise wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = match openat(&self.dir, name, flags, Mode::empty()) {
            Ok(file) => file.into(),
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(Finding::bad(format!("{name} is not there"))),
            Err(Errno::LOOP) => return Err(Finding::bad(format!("{name} is a symbolic link"))),
            Err(Errno::NXIO) => return Err(Finding::bad(format!("{name} is not a regular file"))),
            Err(error) => return Err(self.io_fault(name, &error.into())),
        };
        if !file.metadata().map_err(|error| self.io_fault(name, &error))?.is_file() {
            return Err(Finding::bad(format!("{name} is not a regular file")));
        }
        // For file systems on which the cache cannot be bypassed: at least the clean pages are dropped.
        fadvise(&file, 0, None, Advice::DontNeed).map_err(|error| self.io_fault(name, &error.into()))?;
        Ok(file)
    }

    /// Like [`Node::open_file`], and bypasses the page cache where the file system can. Reads must be of whole blocks.
    pub fn open_direct(&self, name: &str) -> Result<File, Finding> {
        direct::bypass_cache(self.open_file(name)?).map_err(|error| self.io_fault(name, &error))
    }

    /// Reads a small file. Of a larger one it reads only [`SMALL`] + 1 bytes.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Finding> {
        let mut bytes = Vec::new();
        // No file of ours that is read here is larger, so the length is enough to reject such a file.
        let read = self.open_file(name)?.take(SMALL + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.io_fault(name, &error))?;
        Ok(bytes)
    }

    /// The finding for an I/O error.
    pub fn io_fault(&self, name: &str, error: &io::Error) -> Finding {
        Finding::NotChecked(Failure::io(self.path.join(name).display(), error))
    }

    /// A path for libraries that need one.
    pub fn path_of(&self, name: &str) -> PathBuf {
        Path::new("/proc/self/fd").join(self.dir.as_raw_fd().to_string()).join(name)
    }
}

/// Files up to this size, in bytes, are read even with `--quick`.
pub const SMALL: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_of_a_node_that_is_unmounted_are_not_missing() {
        let dir = tempfile::tempdir().unwrap();
        let mounted = dir.path().join("node");
        fs::create_dir(&mounted).unwrap();
        fs::write(mounted.join("p_aux"), "bytes").unwrap();
        let node = Node::open(&mounted).unwrap();
        fs::rename(&mounted, dir.path().join("unmounted")).unwrap();
        fs::create_dir(&mounted).unwrap();
        assert!(node.read("p_aux").is_ok_and(|bytes| bytes == b"bytes"));
        assert_eq!(fs::read(node.path_of("p_aux")).unwrap(), b"bytes");
        assert!(matches!(node.read("t_aux"), Err(Finding::Bad(_))));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_not_bad() {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::open(dir.path()).unwrap();
        let too_long = "x".repeat(300);
        assert!(matches!(node.open_file(&too_long), Err(Finding::NotChecked(fault)) if fault.exit_code() == 3));
    }
}
