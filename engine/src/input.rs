//! The inputs of an attempt: results and files of earlier phases (`inputs` of job.json).

use crate::digest::FileRecord;
use crate::failure::{Failure, IoContext, Outcome};
use crate::job::Job;
use crate::phase::Phase;
use crate::versions;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::fs;
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
                return Err(Failure::step_back(phase, format!("{} is not there", path.display())));
            }
            result => result.context(format_args!("reading {}", path.display()))?,
        };
        let found: ResultJson<T> = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::step_back(phase, format!("{}: {error}", path.display())))?;
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
            Failure::step_back(self.phase, format!("{} does not name {name}", self.dir.join("result.json").display()))
        })
    }

    /// Reads a small file of that attempt. Fails with `StepBack` if it is missing or differs from its record.
    pub fn read_file(&self, record: &FileRecord) -> Outcome<Vec<u8>> {
        let path = self.dir.join(&record.name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(self.phase, format!("{} is not there", path.display())));
            }
            result => result.context(format_args!("reading {}", path.display()))?,
        };
        record
            .compare(&FileRecord::of_bytes(&record.name, &bytes), &format!("{} recorded", self.phase))
            .map_err(|reason| Failure::step_back(self.phase, reason))?;
        Ok(bytes)
    }

    /// Hard-links the file into the working directory and verifies it there. `on_read` is called with the length of
    /// each chunk in bytes. Fails with `StepBack` if the file is missing or differs from its record.
    pub fn link_file(&self, file: &FileRecord, on_read: impl FnMut(u64)) -> Outcome<()> {
        let what = format!("linking {} from {}", file.name, self.dir.display());
        match fs::hard_link(self.dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(self.phase, format!("{what}: it is not there")));
            }
            result => result.context(&what)?,
        }
        let found = FileRecord::of_file(&file.name, Path::new(&file.name), on_read)
            .context(format_args!("checking {}", file.name))?;
        file.compare(&found, &format!("{} recorded", self.phase))
            .map_err(|reason| Failure::step_back(self.phase, reason))
    }
}
