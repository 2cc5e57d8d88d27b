//! The directory on the storage node that a copy goes to. The worker has made it: it is the copy's reservation.

use super::direct;
use crate::failure::{Failure, IoContext, Outcome};
use rustix::fs::{
    fadvise, fallocate, fsync, open, openat, unlinkat, Advice, AtFlags, Dir, FallocateFlags, Mode, OFlags,
};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// What the worker has written into the reservation.
const RESERVATION: &str = "copy.json";

/// Held by its file descriptors: what is written goes to the node that was there at the start, whatever is mounted meanwhile.
pub struct Target {
    dir: OwnedFd,
    parent: OwnedFd,
    name: OsString,
    /// Names of the files made here.
    made: Vec<String>,
    /// For messages.
    shown: String,
}

/// Opens a mounted storage node.
pub fn open_node(node: &Path) -> Outcome<OwnedFd> {
    open(node, DIRECTORY, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => Failure::PassingFault(format!("storage node {} is not there: is it mounted?", node.display())),
        error => Failure::io(format_args!("opening storage node {}", node.display()), &error.into()),
    })
}

impl Target {
    /// Opens `into` below `node`. Neither is ever made here: a node that is not there is not mounted, and a reservation that is
    /// gone was given up.
    pub fn open(node: &Path, into: &Path) -> Outcome<Target> {
        let shown = node.join(into).display().to_string();
        let step = |parent: &OwnedFd, name: &OsString| {
            openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| match error {
                Errno::NOENT => Failure::PassingFault(format!("{shown}: the reservation is not there")),
                error => Failure::io(format_args!("opening {shown}"), &error.into()),
            })
        };
        let mut parent = open_node(node)?;
        let mut names: Vec<OsString> = into.iter().map(OsString::from).collect();
        let name = names.pop().expect("checked when the job was read");
        for name in &names {
            parent = step(&parent, name)?;
        }
        let dir = step(&parent, &name)?;
        Ok(Target { dir, parent, name, made: Vec::new(), shown })
    }

    /// A new file with room for `size` bytes.
    pub fn create(&mut self, name: &str, size: u64) -> Outcome<File> {
        let making = format!("making {}/{name}", self.shown);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::from_raw_mode(0o644)).context(&making)?;
        self.made.push(name.to_owned());
        match fallocate(&file, FallocateFlags::empty(), 0, size.max(1)) {
            // Not on every file system; then a full disk is met while writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            reserved => reserved.context(&making)?,
        }
        direct::bypass_cache(file.into()).context(&making)
    }

    /// Opens a file that was written and synced here for reading past this host's page cache.
    pub fn read(&self, name: &str) -> Outcome<File> {
        let opening = format!("opening {}/{name}", self.shown);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::empty()).context(&opening)?;
        // For file systems that refuse to bypass the cache: there, at least what is clean is dropped from it.
        fadvise(&file, 0, None, Advice::DontNeed).context(&opening)?;
        direct::bypass_cache(file.into()).context(&opening)
    }

    /// A path to the directory for libraries that want one: to the one that is held, whatever its name is by now.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.dir.as_raw_fd()))
    }

    /// Makes the names durable.
    pub fn sync(&self) -> Outcome<()> {
        fsync(&self.dir).context(format_args!("syncing {}", self.shown))
    }

    /// Gives space and reservation back after a failure, as far as it can. Where others have files the reservation stays.
    pub fn remove(&self) {
        for name in &self.made {
            let _ = unlinkat(&self.dir, name, AtFlags::empty());
        }
        if let Err(error) = self.remove_reservation() {
            log::warn!("{} could not be removed: {error}", self.shown);
        }
    }

    fn remove_reservation(&self) -> io::Result<()> {
        for entry in Dir::read_from(&self.dir)? {
            let entry = entry?;
            if ![&b"."[..], b"..", RESERVATION.as_bytes()].contains(&entry.file_name().to_bytes()) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
        match unlinkat(&self.dir, RESERVATION, AtFlags::empty()) {
            Err(Errno::NOENT) => {}
            removed => removed?,
        }
        Ok(unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR)?)
    }
}
