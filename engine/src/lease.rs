//! The lease: whether this attempt still owns its phase. It depends only on the names of directories.

use crate::attempt::{parse_attempt_name, parse_number, Attempt, AttemptName};
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
use crate::os_error;
use rustix::fs::{AtFlags, StatxFlags};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

pub struct Lease {
    own: AttemptName,
    /// The attempt's directory and its inode. Usually relative paths are enough, see [`decide`].
    path: PathBuf,
    inode: u64,
}

impl Lease {
    /// The lease of the attempt in the working directory.
    pub fn of(attempt: Attempt) -> Outcome<Lease> {
        let inode = fs::metadata(".").context("reading the attempt's directory")?.ino();
        Ok(Lease { own: attempt.name, path: attempt.path, inode })
    }

    /// Starts a thread that checks the lease every `every` and ends the process when it is superseded. The thread does
    /// nothing else, so that a hung write of progress.json does not delay it.
    pub fn watch(self, every: Duration) -> Outcome<()> {
        let spawned = thread::Builder::new().name("lease".to_owned()).spawn(move || loop {
            thread::sleep(every);
            if let Err(superseded) = self.check() {
                exit::exit_with(&superseded);
            }
        });
        spawned.map(drop).context("starting the lease thread")
    }

    /// Fails with `Superseded` when a higher epoch or attempt exists, or when the working directory has lost its name.
    /// A directory that cannot be read at the moment only causes a warning.
    pub fn check(&self) -> Outcome<()> {
        let here = superseded_reason(&self.own, Path::new("."), Path::new(".."), Path::new("../.."));
        decide(here, || self.reason_by_path())
    }

    /// Like [`superseded_reason`], for the directory that the attempt's path leads to now.
    fn reason_by_path(&self) -> io::Result<Option<String>> {
        let path = self.path.as_path();
        let found = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(format!("{} is no longer there", path.display())));
            }
            found => found?,
        };
        // Not the device: a file system gets another number when it is mounted again.
        if found.ino() != self.inode {
            return Ok(Some(format!("{} is another directory now", path.display())));
        }
        match path.parent().and_then(|epoch| Some((epoch, epoch.parent()?))) {
            Some((epoch, sector)) => superseded_reason(&self.own, path, epoch, sector),
            None => Ok(None),
        }
    }
}

/// What a check has shown. When another NFS client has deleted the working directory, all that is relative to it is
/// ESTALE forever, as it is for a mount with a fault. Only the path can tell.
fn decide(here: io::Result<Option<String>>, by_path: impl FnOnce() -> io::Result<Option<String>>) -> Outcome<()> {
    let found = match here {
        Err(stale) if os_error::errno_of(&stale) == Some(Errno::STALE) => {
            by_path().and_then(|reason| reason.map_or(Err(stale), |reason| Ok(Some(reason))))
        }
        here => here,
    };
    match found {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => Err(Failure::Superseded(reason)),
        Err(error) => {
            log::warn!("lease: {error}");
            Ok(())
        }
    }
}

/// Why this attempt is superseded, if it is.
fn superseded_reason(own: &AttemptName, attempt: &Path, epoch: &Path, sector: &Path) -> io::Result<Option<String>> {
    for name in list_directories(epoch)? {
        match parse_attempt_name(&name) {
            Some((phase, number)) if phase == own.phase && number > own.number => {
                return Ok(Some(format!("attempt {name} supersedes {}", own.dir_name())));
            }
            _ => {}
        }
    }
    for name in list_directories(sector)? {
        if parse_number(&name).is_some_and(|epoch| epoch > own.epoch) {
            return Ok(Some(format!("epoch {name} supersedes {}", own.epoch)));
        }
    }
    for (parent, name, directory) in [(epoch, own.dir_name(), attempt), (sector, own.epoch.to_string(), epoch)] {
        if !is_same_directory(&parent.join(&name), directory)? {
            return Ok(Some(format!("{name} is no longer the name of this directory")));
        }
    }
    Ok(None)
}

/// Names of the directories in `dir`; empty when `dir` itself has been deleted.
fn list_directories(dir: &Path) -> io::Result<Vec<String>> {
    revalidate(dir);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = match entry {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entry => entry?,
        };
        if let (Some(name), true) = (entry.file_name().to_str(), entry.file_type().is_ok_and(|t| t.is_dir())) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Makes an NFS client fetch the directory's attributes from the server and so drop an outdated listing, which it might
/// otherwise serve from its cache for a minute.
fn revalidate(dir: &Path) {
    let _ = rustix::fs::statx(rustix::fs::CWD, dir, AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS);
}

/// Whether the path `name` currently leads to `directory`.
fn is_same_directory(name: &Path, directory: &Path) -> io::Result<bool> {
    let named = match fs::metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        named => named?,
    };
    let own = fs::metadata(directory)?;
    Ok((named.dev(), named.ino()) == (own.dev(), own.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::Phase;

    fn reason(sector: &Path) -> Option<String> {
        let own = AttemptName { epoch: 2, phase: Phase::P2, number: 3 };
        superseded_reason(&own, &sector.join("2/P2-3"), &sector.join("2"), sector).unwrap()
    }

    #[test]
    fn only_higher_numbers_supersede() {
        let dir = tempfile::tempdir().unwrap();
        let sector = dir.path();
        for name in ["2/P2-3", "2/P2-2", "2/P1-9", "2/gone-P2-9", "2/P2-9x", "2/.new-1", "1", "x3", "-3"] {
            fs::create_dir_all(sector.join(name)).unwrap();
        }
        fs::write(sector.join("3"), "a file is not an epoch").unwrap();
        fs::write(sector.join("2/P2-7"), "a file is not an attempt").unwrap();
        assert_eq!(reason(sector), None);
        fs::create_dir(sector.join("2/P2-4")).unwrap();
        assert!(reason(sector).unwrap().contains("P2-4"));
        fs::rename(sector.join("2/P2-4"), sector.join("2/gone-P2-4")).unwrap();
        assert_eq!(reason(sector), None);
        fs::create_dir(sector.join("10")).unwrap();
        assert!(reason(sector).unwrap().contains("epoch 10"));
    }

    #[test]
    fn only_a_stale_directory_is_looked_up_by_its_path() {
        let error = |number| Err(io::Error::from_raw_os_error(number));
        let superseded = |here, by_path| decide(here, || by_path).is_err();
        let gone = || Ok(Some("gone".to_owned()));
        assert!(superseded(error(116), gone()));
        // A stale mount is a fault of the machine, and so is any other error.
        assert!(!superseded(error(116), error(116)));
        assert!(!superseded(error(116), Ok(None)));
        assert!(!superseded(error(5), gone()));
        assert!(!superseded(Ok(None), gone()));
        assert!(superseded(gone(), Ok(None)));
    }

    #[test]
    fn the_path_tells_whether_the_attempt_is_still_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("2/P2-3");
        fs::create_dir_all(&path).unwrap();
        let own = AttemptName { epoch: 2, phase: Phase::P2, number: 3 };
        let lease = Lease { own, path: path.clone(), inode: fs::metadata(&path).unwrap().ino() };
        assert_eq!(lease.reason_by_path().unwrap(), None);
        fs::create_dir(dir.path().join("3")).unwrap();
        assert!(lease.reason_by_path().unwrap().unwrap().contains("epoch 3"));
        fs::rename(&path, dir.path().join("x")).unwrap();
        assert!(lease.reason_by_path().unwrap().unwrap().ends_with("no longer there"));
        fs::create_dir(&path).unwrap();
        assert!(lease.reason_by_path().unwrap().unwrap().ends_with("another directory now"));
    }

    #[test]
    fn directories_are_compared_by_inode() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("2/P2-3")).unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        assert!(!is_same_directory(&dir.path().join("2/P2-3"), &dir.path().join("other")).unwrap());
        assert!(!is_same_directory(&dir.path().join("2/P2-4"), &dir.path().join("other")).unwrap());
    }
}
