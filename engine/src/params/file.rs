//! One parameter file: whether it is there and whole. The content of the `.params` file, up to 51 GB, is compared with
//! its digest only when it may have changed, or when a proof gives reason to.

use super::digest::digest_of;
use super::names::Files;
use super::note::{Note, State};
use super::published::published;
use crate::environment;
use crate::failure::{Failure, IoContext, Outcome};
use crate::progress;
use crate::sizes::Size;
use bellperson::groth16::VerifyingKey;
use blstrs::Bls12;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub struct ParameterFile {
    size: Size,
    pub name: String,
    pub path: PathBuf,
}

/// What a comparison says of a file that is not damaged as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Right,
    /// No digest of it is known: an earlier version, or somebody else, generated it.
    Unknown,
}

impl ParameterFile {
    /// The verifying key of `size`.
    pub fn key(size: Size) -> Outcome<ParameterFile> {
        Ok(ParameterFile::new(size, Files::of(size)?.vk, &environment::parameter_dir()))
    }

    /// The `.params` file of `size`.
    pub fn params(size: Size) -> Outcome<ParameterFile> {
        Ok(ParameterFile::new(size, Files::of(size)?.params, &environment::parameter_dir()))
    }

    pub fn new(size: Size, name: String, dir: &Path) -> ParameterFile {
        let path = dir.join(&name);
        ParameterFile { size, name, path }
    }

    /// Whether there is a file, even a damaged one.
    pub fn exists(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|meta| meta.len() > 0)
    }

    /// Fails with `MissingParameters` if it is not there, or is known to be damaged. Reads nothing of it.
    pub fn look(&self) -> Outcome<()> {
        let (state, note) = self.find()?;
        self.refuse_known_damage(state, note.as_ref())
    }

    /// Like [`look`](Self::look), but a file that nothing vouches for is compared with its digest.
    pub fn check(&self) -> Outcome<()> {
        let (state, note) = self.find()?;
        self.refuse_known_damage(state, note.as_ref())?;
        match &note {
            Some(note) if note.vouches_for(state) => Ok(()),
            _ => self.compare_in(state, note).map(drop),
        }
    }

    /// Reads the file and compares it with its digest, whatever is recorded. Fails with `MissingParameters` if they
    /// differ; an I/O error is a passing fault.
    pub fn compare(&self) -> Outcome<Compared> {
        let (state, note) = self.find()?;
        self.compare_in(state, note)
    }

    /// The file's state, and what is recorded of it. Fails with `MissingParameters` if it is not there, is empty, or does
    /// not have the recorded size.
    fn find(&self) -> Outcome<(State, Option<Note>)> {
        let meta = match fs::metadata(&self.path) {
            Ok(meta) if meta.len() > 0 => meta,
            Ok(_) => return Err(self.damaged("it is empty")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing()),
            Err(error) => return Err(Failure::io(format_args!("reading {}", self.path.display()), &error)),
        };
        let (state, note) = (State::of(&meta), Note::read(&self.path));
        match note.as_ref().and_then(|note| note.size) {
            Some(size) if size != state.size => {
                Err(self.damaged(&format!("it has {} bytes, the right file has {size}", state.size)))
            }
            _ => Ok((state, note)),
        }
    }

    fn refuse_known_damage(&self, state: State, note: Option<&Note>) -> Outcome<()> {
        match note.and_then(|note| note.damage_of(state)) {
            Some(found) => Err(self.differs(found, &self.wanted(note)?.unwrap_or_default())),
            None => Ok(()),
        }
    }

    fn compare_in(&self, state: State, note: Option<Note>) -> Outcome<Compared> {
        let Some(wanted) = self.wanted(note.as_ref())? else { return self.judge_without_digest() };
        if !self.is_key() {
            progress::begin_step("checking the parameters", 0.0, 0.0);
        }
        let found = digest_of(&self.path)?;
        if found != wanted {
            self.record(&Note::damaged(note, state, &found));
            return Err(self.differs(&found, &wanted));
        }
        if !note.is_some_and(|note| note.vouches_for(state)) {
            self.record(&Note::right(state, &wanted));
        }
        Ok(Compared::Right)
    }

    /// The digest of the right file: that of the published one, or what was recorded when it was generated.
    fn wanted(&self, note: Option<&Note>) -> Outcome<Option<String>> {
        if self.size.is_production() {
            return Ok(Some(published(&self.name)?.digest.clone()));
        }
        Ok(note.and_then(|note| note.digest.clone()))
    }

    /// A key is small enough to be parsed instead.
    fn judge_without_digest(&self) -> Outcome<Compared> {
        if self.is_key() {
            let bytes = fs::read(&self.path).context(format_args!("reading {}", self.path.display()))?;
            VerifyingKey::<Bls12>::read(&*bytes)
                .map_err(|error| self.damaged(&format!("it is not a verifying key ({error})")))?;
        }
        Ok(Compared::Unknown)
    }

    /// A key is read each time, so nothing is recorded of it but what it was when it was generated.
    fn record(&self, note: &Note) {
        if self.is_key() {
            return;
        }
        if let Err(failed) = note.write(&self.path) {
            // The file system may be mounted read-only. Then the file is read again each time.
            log::warn!("{failed}");
        }
    }

    fn is_key(&self) -> bool {
        self.name.ends_with(".vk")
    }

    fn differs(&self, found: &str, wanted: &str) -> Failure {
        let of = if self.size.is_production() { "the published file" } else { "the generated file" };
        self.damaged(&format!("its BLAKE2b is {found}, that of {of} {wanted}"))
    }

    fn damaged(&self, how: &str) -> Failure {
        let mend = if self.size.is_production() {
            format!("`sealflow setup --parameters {}` replaces it", self.size.name())
        } else {
            format!("delete it, then `sealflow setup --parameters {}` generates all anew", self.size.name())
        };
        Failure::MissingParameters(format!("{} is damaged: {how} ({mend})", self.path.display()))
    }

    fn missing(&self) -> Failure {
        let remedy = if self.size.is_production() {
            format!("`sealflow setup --parameters {}` fetches it", self.size.name())
        } else {
            format!("run `sealflow-engine params {}`", self.size.name())
        };
        let dir = self.path.parent().unwrap_or(&self.path);
        Failure::MissingParameters(format!("{} is not in {}: {remedy}", self.name, dir.display()))
    }
}
