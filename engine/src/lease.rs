//! The lease: whether this attempt still owns its phase. It depends only on the names of directories.

use crate::attempt::{parse_attempt_name, parse_number, AttemptName};
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
use rustix::fs::{AtFlags, StatxFlags};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Starts a thread that checks the lease every `every` and ends the process when it is superseded. The thread does
/// nothing else, so that a hung write of progress.json does not delay it.
pub fn watch(own: AttemptName, every: Duration) -> Outcome<()> {
    let spawned = thread::Builder::new().name("lease".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(superseded) = check(&own) {
            exit::exit_with(&superseded);
        }
    });
    spawned.map(drop).context("starting the lease thread")
}

/// Fails with `Superseded` when a higher epoch or attempt exists, or when the working directory, which must be the
/// attempt, has lost its name. A directory that cannot be read at the moment only causes a warning.
pub fn check(own: &AttemptName) -> Outcome<()> {
    match superseded_reason(own, Path::new("."), Path::new(".."), Path::new("../..")) {
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
    fn directories_are_compared_by_inode() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("2/P2-3")).unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        assert!(!is_same_directory(&dir.path().join("2/P2-3"), &dir.path().join("other")).unwrap());
        assert!(!is_same_directory(&dir.path().join("2/P2-4"), &dir.path().join("other")).unwrap());
    }
}
