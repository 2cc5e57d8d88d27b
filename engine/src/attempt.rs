//! The attempt: the directory `<sector directory>/<epoch>/<phase>-<number>`, which is the engine's working directory.

use crate::failure::{Failure, IoContext, Outcome};
use crate::job::Job;
use crate::phase::Phase;
use std::fs;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub epoch: u64,
    pub phase: Phase,
    pub number: u64,
}

impl Name {
    /// The names of the last two components of an attempt's path.
    pub fn of(path: &Path) -> Option<Name> {
        let (phase, number) = attempt_name(path.file_name()?.to_str()?)?;
        let epoch = number_name(path.parent()?.file_name()?.to_str()?)?;
        Some(Name { epoch, phase, number })
    }

    /// The directory's own name, such as `P2-3`.
    pub fn own(&self) -> String {
        format!("{}-{}", self.phase, self.number)
    }
}

/// `^P[1-5]-[0-9]+$`
pub fn attempt_name(name: &str) -> Option<(Phase, u64)> {
    let (phase, number) = name.split_once('-')?;
    Some((Phase::named(phase)?, number_name(number)?))
}

/// `^[0-9]+$`
pub fn number_name(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        name.parse().ok()
    } else {
        None
    }
}

/// Makes `path` the working directory. From here on only relative paths are used, so that what the library stores does not
/// depend on where the disk is mounted, and a renamed directory is still the same one.
pub fn enter(path: &Path) -> Outcome<Name> {
    let what = format!("entering attempt {}", path.display());
    let real = fs::canonicalize(path).context(&what)?;
    let name = Name::of(&real).ok_or_else(|| {
        Failure::BadInput(format!("{} is not an attempt: expected <sector>/<epoch>/P<1-5>-<number>", path.display()))
    })?;
    std::env::set_current_dir(&real).context(&what)?;
    Ok(name)
}

/// An attempt is begun once: files of a run that was killed could be taken for this one's (the library goes by size alone).
pub fn refuse_leftovers(job: &Job) -> Outcome<()> {
    let made = [crate::sizes::PHASE1, crate::sizes::COMMIT_PHASE1].map(str::to_owned);
    let names = job.size.labels().into_iter().chain(job.size.kept()).chain(made);
    for name in names {
        if Path::new(&name).symlink_metadata().is_ok() {
            return Err(Failure::PassingFault(format!(
                "{name} is there already: this attempt was begun before, it needs a new one"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_nothing() {
        assert_eq!(attempt_name("P2-3"), Some((Phase::P2, 3)));
        assert_eq!(number_name("12"), Some(12));
        for name in ["P6-1", "P0-1", "P2-", "P2-1x", "P2--1", "P2-+1", "gone-P2-1", ".new-1", "p2-1", "P2"] {
            assert_eq!(attempt_name(name), None, "{name}");
        }
        for name in ["", "+1", "-1", "1a", "99999999999999999999"] {
            assert_eq!(number_name(name), None, "{name}");
        }
        assert_eq!(Name::of(Path::new("/c/s-t01000-7/2/P2-3")), Some(Name { epoch: 2, phase: Phase::P2, number: 3 }));
        assert_eq!(Name::of(Path::new("/c/s-t01000-7/x/P2-3")), None);
    }
}
