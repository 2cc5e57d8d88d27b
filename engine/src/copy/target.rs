//! The directory on the storage node that a copy goes to.

use super::direct;
use crate::failure::{At, Failure, Outcome};
use rustix::fs::{
    fadvise, fallocate, fsync, mkdirat, open, openat, unlinkat, Advice, AtFlags, FallocateFlags, Mode, OFlags,
};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Held by its file descriptors: what is written goes to the node that was there at the start, whatever is mounted meanwhile.
pub struct Target {
    dir: OwnedFd,
    parent: OwnedFd,
    name: OsString,
    /// For messages.
    shown: String,
}

impl Target {
    /// Makes `into` below `node`, one directory at a time. The node itself is never made: a missing one is an unmounted one.
    /// The last directory must be new, as it belongs to this copy alone.
    pub fn make(node: &Path, into: &Path) -> Outcome<Target> {
        let shown = node.join(into).display().to_string();
        let making = format!("making {shown}");
        let mut parent = open(node, DIRECTORY, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => {
                Failure::PassingFault(format!("storage node {} is not there: is it mounted?", node.display()))
            }
            error => Failure::io(format_args!("opening storage node {}", node.display()), &error.into()),
        })?;
        let mut names: Vec<OsString> = into.iter().map(OsString::from).collect();
        let name = names.pop().expect("checked when the job was read");
        for name in names {
            match mkdirat(&parent, &name, Mode::from_raw_mode(0o755)) {
                Err(Errno::EXIST) => {}
                made => made.at(&making)?,
            }
            fsync(&parent).at(&making)?;
            parent = openat(&parent, &name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).at(&making)?;
        }
        mkdirat(&parent, &name, Mode::from_raw_mode(0o755)).at(&making)?;
        fsync(&parent).at(&making)?;
        let dir = openat(&parent, &name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).at(&making)?;
        Ok(Target { dir, parent, name, shown })
    }

    /// A new file with room for `size` bytes.
    pub fn create(&self, name: &str, size: u64) -> Outcome<File> {
        let making = format!("making {}/{name}", self.shown);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::from_raw_mode(0o644)).at(&making)?;
        match fallocate(&file, FallocateFlags::empty(), 0, size.max(1)) {
            // Not on every file system; then a full disk is met while writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            reserved => reserved.at(&making)?,
        }
        direct::bypass_cache(file.into()).at(&making)
    }

    /// Opens a file that was written and synced here for reading past this host's page cache.
    pub fn open(&self, name: &str) -> Outcome<File> {
        let opening = format!("opening {}/{name}", self.shown);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::empty()).at(&opening)?;
        // For file systems that refuse to bypass the cache: there, at least what is clean is dropped from it.
        fadvise(&file, 0, None, Advice::DontNeed).at(&opening)?;
        direct::bypass_cache(file.into()).at(&opening)
    }

    /// Makes the names durable.
    pub fn sync(&self) -> Outcome<()> {
        fsync(&self.dir).at(format_args!("syncing {}", self.shown))
    }

    /// Gives the space back after a failure, as far as it can: nobody else knows of this directory yet.
    pub fn remove(&self, names: &[String]) {
        for name in names {
            let _ = unlinkat(&self.dir, name, AtFlags::empty());
        }
        if let Err(error) = unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR) {
            log::warn!("{} could not be removed: {error}", self.shown);
        }
    }
}
