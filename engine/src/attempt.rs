//! The attempt: the directory `<sector directory>/<epoch>/<phase>-<number>`. It is the engine's working directory.

use crate::failure::{Failure, IoContext, Outcome};
use crate::job::Job;
use crate::phase::Phase;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptName {
    pub epoch: u64,
    pub phase: Phase,
    pub number: u64,
}

impl AttemptName {
    /// Parses the last two components of an attempt's path.
    pub fn from_path(path: &Path) -> Option<AttemptName> {
        let (phase, number) = parse_attempt_name(path.file_name()?.to_str()?)?;
        let epoch = parse_number(path.parent()?.file_name()?.to_str()?)?;
        Some(AttemptName { epoch, phase, number })
    }

    /// The name of the attempt's directory, such as `P2-3`.
    pub fn dir_name(&self) -> String {
        format!("{}-{}", self.phase, self.number)
    }
}

/// Parses `^P[1-5]-[0-9]+$`.
pub fn parse_attempt_name(name: &str) -> Option<(Phase, u64)> {
    let (phase, number) = name.split_once('-')?;
    Some((Phase::from_name(phase)?, parse_number(number)?))
}

/// Parses `^[0-9]+$`.
pub fn parse_number(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        name.parse().ok()
    } else {
        None
    }
}

/// The attempt in the working directory.
pub struct Attempt {
    pub name: AttemptName,
    /// Where the directory was when it was entered.
    pub path: PathBuf,
}

/// Makes `path` the working directory. From then on only relative paths are used: what the library stores must not
/// depend on where the disk is mounted, and the engine must keep working in the same directory after it has been
/// renamed.
pub fn enter(path: &Path) -> Outcome<Attempt> {
    let what = format!("entering attempt {}", path.display());
    let real = fs::canonicalize(path).context(&what)?;
    let name = AttemptName::from_path(&real).ok_or_else(|| {
        Failure::BadInput(format!("{} is not an attempt: expected <sector>/<epoch>/P<1-5>-<number>", path.display()))
    })?;
    std::env::set_current_dir(&real).context(&what)?;
    Ok(Attempt { name, path: real })
}

/// Fails if files of the phase exist already. They come from a run that was killed, and the library would reuse them,
/// as it checks nothing but their size.
pub fn refuse_leftovers(job: &Job) -> Outcome<()> {
    let json_files = [crate::sizes::PHASE1, crate::sizes::COMMIT_PHASE1].map(str::to_owned);
    let names = job.size.label_files().into_iter().chain(job.size.retained_files()).chain(json_files);
    for name in names {
        if Path::new(&name).symlink_metadata().is_ok() {
            return Err(Failure::PassingFault(format!(
                "{name} exists already: this attempt has been started before; a new attempt is needed"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_parsed() {
        assert_eq!(parse_attempt_name("P2-3"), Some((Phase::P2, 3)));
        assert_eq!(parse_number("12"), Some(12));
        for name in ["P6-1", "P0-1", "P2-", "P2-1x", "P2--1", "P2-+1", "gone-P2-1", ".new-1", "p2-1", "P2"] {
            assert_eq!(parse_attempt_name(name), None, "{name}");
        }
        for name in ["", "+1", "-1", "1a", "99999999999999999999"] {
            assert_eq!(parse_number(name), None, "{name}");
        }
        assert_eq!(
            AttemptName::from_path(Path::new("/c/s-t01000-7/2/P2-3")),
            Some(AttemptName { epoch: 2, phase: Phase::P2, number: 3 })
        );
        assert_eq!(AttemptName::from_path(Path::new("/c/s-t01000-7/x/P2-3")), None);
    }
}
