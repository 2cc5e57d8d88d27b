//! What an attempt depends on: the result and the files of an earlier phase (`inputs` of job.json).

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

/// The result of an attempt that this one depends on.
pub struct Input<T> {
    pub phase: Phase,
    pub dir: PathBuf,
    pub outputs: T,
}

impl<T: DeserializeOwned> Input<T> {
    /// Reads `result.json` of the attempt that the job names. Without a result that phase must run again (step back); a result of another
    /// sector means that the job is wrong.
    pub fn read(job: &Job, phase: Phase) -> Outcome<Input<T>> {
        #[derive(Deserialize)]
        struct Found<T> {
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
            read => read.context(format_args!("reading {}", path.display()))?,
        };
        let found: Found<T> = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::step_back(phase, format!("{}: {error}", path.display())))?;
        if !versions::readable(found.v)
            || found.phase != phase
            || found.sector != job.sector.name
            || found.size != job.size.name()
        {
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
        Ok(Input { phase, dir, outputs: found.outputs })
    }

    /// What the result says about the file `name`.
    pub fn record<'a>(&self, files: &'a [FileRecord], name: &str) -> Outcome<&'a FileRecord> {
        files.iter().find(|file| file.name == name).ok_or_else(|| {
            Failure::step_back(self.phase, format!("{} does not name {name}", self.dir.join("result.json").display()))
        })
    }

    /// The bytes of a small file of that attempt, which must be those that its result names.
    pub fn read_file(&self, record: &FileRecord) -> Outcome<Vec<u8>> {
        let path = self.dir.join(&record.name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(self.phase, format!("{} is not there", path.display())));
            }
            read => read.context(format_args!("reading {}", path.display()))?,
        };
        record
            .compare(&FileRecord::of_bytes(&record.name, &bytes), &format!("{} recorded", self.phase))
            .map_err(|reason| Failure::step_back(self.phase, reason))?;
        Ok(bytes)
    }

    /// Hard-links the file into the working directory and checks it there; one that is missing or differs: step back. `on_read`
    /// receives the number of bytes as they are read.
    pub fn link(&self, file: &FileRecord, on_read: impl FnMut(u64)) -> Outcome<()> {
        let what = format!("linking {} from {}", file.name, self.dir.display());
        match fs::hard_link(self.dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::step_back(self.phase, format!("{what}: it is not there")));
            }
            linked => linked.context(&what)?,
        }
        let found = FileRecord::of_file(&file.name, Path::new(&file.name), on_read)
            .context(format_args!("checking {}", file.name))?;
        file.compare(&found, &format!("{} recorded", self.phase))
            .map_err(|reason| Failure::step_back(self.phase, reason))
    }
}
