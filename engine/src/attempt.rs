//! The attempt: the directory `<sector directory>/<epoch>/<phase>-<number>`, which is the engine's working directory.

use crate::digest::FileRecord;
use crate::failure::{At, Failure, Outcome};
use crate::job::{Job, Phase};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    let real = fs::canonicalize(path).at(&what)?;
    let name = Name::of(&real).ok_or_else(|| {
        Failure::BadInput(format!("{} is not an attempt: expected <sector>/<epoch>/P<1-5>-<number>", path.display()))
    })?;
    std::env::set_current_dir(&real).at(&what)?;
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

/// The result of an attempt that this one builds on.
pub struct Basis<T> {
    pub phase: Phase,
    pub dir: PathBuf,
    pub outputs: T,
}

impl<T: DeserializeOwned> Basis<T> {
    /// Reads `result.json` of the job's basis. Without a result that phase must run again (step back); a result of another
    /// sector means that the job is wrong.
    pub fn read(job: &Job, phase: Phase) -> Outcome<Basis<T>> {
        #[derive(Deserialize)]
        struct Found<T> {
            v: u64,
            phase: Phase,
            sector: String,
            size: String,
            outputs: T,
        }
        let dir = job.basis(phase).to_path_buf();
        let path = dir.join("result.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(phase, format!("{} is not there", path.display())));
            }
            read => read.at(format_args!("reading {}", path.display()))?,
        };
        let found: Found<T> = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::step_back(phase, format!("{}: {error}", path.display())))?;
        if found.v != 1 || found.phase != phase || found.sector != job.sector.name || found.size != job.size.name() {
            return Err(Failure::BadInput(format!(
                "{} is the result v{} of {} {} {}, not of {phase} {} {}",
                path.display(),
                found.v,
                found.phase,
                found.sector,
                found.size,
                job.sector.name,
                job.size.name()
            )));
        }
        Ok(Basis { phase, dir, outputs: found.outputs })
    }

    /// What the basis says about the file `name`.
    pub fn record<'a>(&self, files: &'a [FileRecord], name: &str) -> Outcome<&'a FileRecord> {
        files.iter().find(|file| file.name == name).ok_or_else(|| {
            Failure::step_back(self.phase, format!("{} does not name {name}", self.dir.join("result.json").display()))
        })
    }

    /// The bytes of a small file of the basis, which are those that its result names.
    pub fn read_file(&self, record: &FileRecord) -> Outcome<Vec<u8>> {
        let path = self.dir.join(&record.name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(self.phase, format!("{} is not there", path.display())));
            }
            read => read.at(format_args!("reading {}", path.display()))?,
        };
        record
            .compare(&FileRecord::of_bytes(&record.name, &bytes), &format!("{} recorded", self.phase))
            .map_err(|why| Failure::step_back(self.phase, why))?;
        Ok(bytes)
    }
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
