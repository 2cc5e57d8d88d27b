//! The inputs of an attempt: results and files of earlier phases (`inputs` of job.json).

use crate::damage::Damage;
use crate::diagnosis;
use crate::digest::FileRecord;
use crate::failure::{Failure, IoContext, Outcome};
use crate::job::Job;
use crate::phase::Phase;
use crate::versions;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The result of an attempt that this one takes as input.
pub struct Input<T> {
    pub phase: Phase,
    pub dir: PathBuf,
    pub outputs: T,
}

impl<T: DeserializeOwned> Input<T> {
    /// Reads result.json of the attempt that the job names. Fails with `StepBack` if there is no valid result, and with
    /// `BadInput` if it is of another sector, size or phase, or of an unsupported version.
    pub fn read(job: &Job, phase: Phase) -> Outcome<Input<T>> {
        #[derive(Deserialize)]
        struct ResultJson<T> {
            v: u64,
            phase: Phase,
            sector: String,
            size: String,
            outputs: T,
        }
        let dir = job.input(phase).to_path_buf();
        let path = dir.join("result.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(missing(phase, &path));
            }
            result => result.context(format_args!("reading {}", path.display()))?,
        };
        let found: ResultJson<T> = parse_json(phase, &path, &bytes)?;
        if !versions::is_supported(found.v)
            || found.phase != phase
            || found.sector != job.sector.name
            || found.size != job.size.name()
        {
            return Err(Failure::BadInput(format!(
                "{} is a result v{} of {} {} {}, not of {phase} {} {}",
                path.display(),
                found.v,
                found.phase,
                found.sector,
                found.size,
                job.sector.name,
                job.size.name()
            )));
        }
        Ok(Input { phase, dir, outputs: found.outputs })
    }

    /// The record of the file `name` in the result. Fails with `StepBack` if there is none.
    pub fn find_record<'a>(&self, files: &'a [FileRecord], name: &str) -> Outcome<&'a FileRecord> {
        files.iter().find(|file| file.name == name).ok_or_else(|| {
            let result = self.dir.join("result.json");
            Failure::step_back(self.phase, Damage::found(format!("{} does not name {name}", result.display())))
        })
    }

    /// Reads a small file of that attempt. Fails with `StepBack` if it is missing or differs from its record.
    pub fn read_file(&self, record: &FileRecord) -> Outcome<Vec<u8>> {
        let path = self.dir.join(&record.name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(missing(self.phase, &path));
            }
            result => result.context(format_args!("reading {}", path.display()))?,
        };
        self.compare(record, &FileRecord::of_bytes(&record.name, &bytes))?;
        Ok(bytes)
    }

    /// Fails with `StepBack` if one of the files `names` of that attempt is missing.
    pub fn require_files(&self, names: &[String]) -> Outcome<()> {
        for path in names.iter().map(|name| self.dir.join(name)) {
            match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(self.phase, &path)),
                result => result.context(format_args!("reading {}", path.display()))?,
            };
        }
        Ok(())
    }

    /// Opens a file of that attempt. Fails with `StepBack` if it is missing.
    pub fn open_file(&self, name: &str) -> Outcome<File> {
        let path = self.dir.join(name);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(self.phase, &path)),
            result => result.context(format_args!("opening {}", path.display())),
        }
    }

    /// Hard-links the file into the working directory and verifies it there. `on_read` is called with the length of
    /// each chunk in bytes. Fails with `StepBack` if the file is missing or differs from its record.
    pub fn link_file(&self, file: &FileRecord, on_read: impl FnMut(u64)) -> Outcome<()> {
        let what = format!("linking {} from {}", file.name, self.dir.display());
        match fs::hard_link(self.dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(missing(self.phase, &self.dir.join(&file.name)));
            }
            result => result.context(&what)?,
        }
        let found = FileRecord::of_file(&file.name, Path::new(&file.name), on_read)
            .context(format_args!("checking {}", file.name))?;
        self.compare(file, &found)
    }

    /// Fails with `StepBack` if a file of that attempt differs from its record.
    pub fn compare(&self, record: &FileRecord, found: &FileRecord) -> Outcome<()> {
        record
            .compare(found, &format!("{} recorded", self.phase))
            .map_err(|damage| Failure::step_back(self.phase, damage))
    }
}

/// Parses a JSON file of an attempt of `phase`. Fails with `StepBack` if that is not possible.
pub fn parse_json<T: DeserializeOwned>(phase: Phase, path: &Path, bytes: &[u8]) -> Outcome<T> {
    let parsed = serde_json::from_slice(bytes);
    parsed.map_err(|error| match diagnosis::of_json(path.display(), error) {
        Ok(damage) => Failure::step_back(phase, damage),
        Err(failure) => failure,
    })
}

fn missing(phase: Phase, path: &Path) -> Failure {
    Failure::step_back(phase, Damage::found(format!("{} is not there", path.display())))
}
