//! The staging directory of a copy on the storage node. The worker has created it; it reserves the space for the copy.

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
/// The worker's file in the staging directory.
const COPY_JSON: &str = "copy.json";

/// An open staging directory. All access goes through its file descriptors, so that everything is written to the node
/// that was mounted at the start, even if another one is mounted meanwhile.
pub struct StagingDir {
    dir: OwnedFd,
    parent: OwnedFd,
    name: OsString,
    /// Names of the files created here.
    created: Vec<String>,
    /// The path, for messages.
    display: String,
}

/// Opens the directory of a mounted storage node.
pub fn open_node(node: &Path) -> Outcome<OwnedFd> {
    open(node, DIRECTORY, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => Failure::PassingFault(format!("storage node {} is not there: is it mounted?", node.display())),
        error => Failure::io(format_args!("opening storage node {}", node.display()), &error.into()),
    })
}

impl StagingDir {
    /// Opens the staging directory `staging` below `node`. It creates neither: a missing node is not mounted, and a
    /// missing staging directory has been given up by the worker.
    pub fn open(node: &Path, staging: &Path) -> Outcome<StagingDir> {
        let display = node.join(staging).display().to_string();
        let open_child = |parent: &OwnedFd, name: &OsString| {
            openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| match error {
                Errno::NOENT => Failure::PassingFault(format!("{display}: the reservation is not there")),
                error => Failure::io(format_args!("opening {display}"), &error.into()),
            })
        };
        let mut parent = open_node(node)?;
        let mut names: Vec<OsString> = staging.iter().map(OsString::from).collect();
        let name = names.pop().expect("validated when the job was read");
        for name in &names {
            parent = open_child(&parent, name)?;
        }
        let dir = open_child(&parent, &name)?;
        Ok(StagingDir { dir, parent, name, created: Vec::new(), display })
    }

    /// Creates a new file and reserves `size` bytes for it.
    pub fn create(&mut self, name: &str, size: u64) -> Outcome<File> {
        let creating = format!("creating {}/{name}", self.display);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::from_raw_mode(0o644)).context(&creating)?;
        self.created.push(name.to_owned());
        match fallocate(&file, FallocateFlags::empty(), 0, size.max(1)) {
            // Not supported by every file system. There a full disk is noticed only while writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            result => result.context(&creating)?,
        }
        direct::bypass_cache(file.into()).context(&creating)
    }

    /// Opens a file, which must have been written and synced, for reading past this host's page cache.
    pub fn read(&self, name: &str) -> Outcome<File> {
        let opening = format!("opening {}/{name}", self.display);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.dir, name, flags, Mode::empty()).context(&opening)?;
        // For file systems on which the cache cannot be bypassed: at least the clean pages are dropped.
        fadvise(&file, 0, None, Advice::DontNeed).context(&opening)?;
        direct::bypass_cache(file.into()).context(&opening)
    }

    /// A path to the open directory, for libraries that need one. It stays valid when the directory is renamed.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.dir.as_raw_fd()))
    }

    /// Makes the names of the files durable.
    pub fn sync(&self) -> Outcome<()> {
        fsync(&self.dir).context(format_args!("syncing {}", self.display))
    }

    /// Removes the copy's files and the staging directory after a failure, as far as possible. If the directory has
    /// other files, it stays.
    pub fn remove(&self) {
        for name in &self.created {
            let _ = unlinkat(&self.dir, name, AtFlags::empty());
        }
        if let Err(error) = self.remove_directory() {
            log::warn!("{} could not be removed: {error}", self.display);
        }
    }

    fn remove_directory(&self) -> io::Result<()> {
        for entry in Dir::read_from(&self.dir)? {
            let entry = entry?;
            if ![&b"."[..], b"..", COPY_JSON.as_bytes()].contains(&entry.file_name().to_bytes()) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
        match unlinkat(&self.dir, COPY_JSON, AtFlags::empty()) {
            Err(Errno::NOENT) => {}
            result => result?,
        }
        Ok(unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR)?)
    }
}
