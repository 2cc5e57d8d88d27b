//! The lease: whether this attempt is still the one that owns its phase. Read from the names of directories alone.

use crate::attempt::{attempt_name, number_name, Name};
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
use rustix::fs::{AtFlags, StatxFlags};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Checks at intervals, in a thread of its own (a hung mount that holds up progress.json must not hold up this), and ends the
/// process when it is superseded.
pub fn watch(own: Name, every: Duration) -> Outcome<()> {
    let spawned = thread::Builder::new().name("lease".to_owned()).spawn(move || loop {
        thread::sleep(every);
        if let Err(superseded) = check(&own) {
            exit::exit_with(&superseded);
        }
    });
    spawned.map(drop).context("starting the lease thread")
}

/// Superseded when a higher epoch or attempt exists or the own name is gone. A directory that cannot be read at the moment is no reason to end.
/// The working directory must be the attempt.
pub fn check(own: &Name) -> Outcome<()> {
    match superseded(own, Path::new("."), Path::new(".."), Path::new("../..")) {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => Err(Failure::Superseded(reason)),
        Err(error) => {
            log::warn!("lease: {error}");
            Ok(())
        }
    }
}

fn superseded(own: &Name, attempt: &Path, epoch: &Path, sector: &Path) -> io::Result<Option<String>> {
    for name in directories(epoch)? {
        match attempt_name(&name) {
            Some((phase, number)) if phase == own.phase && number > own.number => {
                return Ok(Some(format!("attempt {name} follows {}", own.own())));
            }
            _ => {}
        }
    }
    for name in directories(sector)? {
        if number_name(&name).is_some_and(|epoch| epoch > own.epoch) {
            return Ok(Some(format!("epoch {name} follows {}", own.epoch)));
        }
    }
    for (dir, name, what) in [(epoch, own.own(), attempt), (sector, own.epoch.to_string(), epoch)] {
        if !same(&dir.join(&name), what)? {
            return Ok(Some(format!("{name} is no longer the name of this directory")));
        }
    }
    Ok(None)
}

/// Names of the directories in `dir`; none when `dir` itself was deleted.
fn directories(dir: &Path) -> io::Result<Vec<String>> {
    refresh(dir);
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

/// An NFS client may serve a listing from its cache for a minute: asking the server for the directory's attributes makes it
/// notice a change.
fn refresh(dir: &Path) {
    let _ = rustix::fs::statx(rustix::fs::CWD, dir, AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS);
}

fn same(name: &Path, directory: &Path) -> io::Result<bool> {
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

    fn verdict(sector: &Path) -> Option<String> {
        let own = Name { epoch: 2, phase: Phase::P2, number: 3 };
        // As seen from the attempt: a file descriptor's view, which a rename does not change, is what "." gives in the engine.
        superseded(&own, &sector.join("2/P2-3"), &sector.join("2"), sector).unwrap()
    }

    #[test]
    fn only_higher_numbers_count() {
        let dir = tempfile::tempdir().unwrap();
        let sector = dir.path();
        for name in ["2/P2-3", "2/P2-2", "2/P1-9", "2/gone-P2-9", "2/P2-9x", "2/.new-1", "1", "x3", "-3"] {
            fs::create_dir_all(sector.join(name)).unwrap();
        }
        fs::write(sector.join("3"), "a file is no epoch").unwrap();
        fs::write(sector.join("2/P2-7"), "a file is no attempt").unwrap();
        assert_eq!(verdict(sector), None);
        fs::create_dir(sector.join("2/P2-4")).unwrap();
        assert!(verdict(sector).unwrap().contains("P2-4"));
        fs::rename(sector.join("2/P2-4"), sector.join("2/gone-P2-4")).unwrap();
        assert_eq!(verdict(sector), None);
        fs::create_dir(sector.join("10")).unwrap();
        assert!(verdict(sector).unwrap().contains("epoch 10"));
    }

    #[test]
    fn another_directory_of_the_own_name_is_not_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("2/P2-3")).unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        assert!(!same(&dir.path().join("2/P2-3"), &dir.path().join("other")).unwrap());
        assert!(!same(&dir.path().join("2/P2-4"), &dir.path().join("other")).unwrap());
    }
}
