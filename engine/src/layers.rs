//! layers.json: what P1 has finished for good, and taking it over from an earlier attempt.

use crate::attempt::Basis;
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{At, Failure, Outcome};
use crate::hex32::Hex32;
use crate::job::Job;
use crate::progress;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::{Entry, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layers {
    v: u64,
    input_hash: Hex32,
    pub files: Vec<FileRecord>,
}

impl Layers {
    pub fn new(input_hash: Hex32) -> Layers {
        Layers { v: 1, input_hash, files: Vec::new() }
    }

    /// Makes the record durable. The files that it names must be so already.
    pub fn write(&self) -> Outcome<()> {
        durable::write_json(Path::new("layers.json"), self)
    }

    /// What the attempt `dir` has recorded for this input, as far as it is the beginning of `expected`. Anything else (no
    /// record, another input, a record that cannot be parsed) is worth nothing.
    fn recorded_in(dir: &Path, input_hash: Hex32, expected: &[String]) -> Vec<FileRecord> {
        let text = fs::read(dir.join("layers.json")).unwrap_or_default();
        match serde_json::from_slice::<Layers>(&text) {
            Ok(layers) if layers.v == 1 && layers.input_hash == input_hash => layers
                .files
                .into_iter()
                .zip(expected)
                .take_while(|(file, name)| file.name == **name)
                .map(|(file, _)| file)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Device and inode: hard links of one file are checked once.
type Inode = (u64, u64);

/// Links the longest good chain that one of the `earlier` attempts has recorded into the working directory, and records it.
/// A file that is missing, unreadable or not what was recorded ends the chain: it and all after it are computed again.
pub fn take_over(job: &Job) -> Outcome<Layers> {
    let expected = job.size.labels();
    let mut candidates: Vec<(&PathBuf, Vec<FileRecord>)> =
        job.earlier.iter().map(|dir| (dir, Layers::recorded_in(dir, job.input_hash, &expected))).collect();
    candidates.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));

    let mut seen = HashMap::new();
    let mut best: Option<(&PathBuf, Vec<(FileRecord, Inode)>)> = None;
    for (dir, files) in candidates {
        let reached = best.as_ref().map_or(0, |(_, chain)| chain.len());
        if files.len() <= reached {
            break;
        }
        let chain = good_chain(dir, files, &mut seen)?;
        if chain.len() > reached {
            best = Some((dir, chain));
        }
    }

    let mut layers = Layers::new(job.input_hash);
    if let Some((dir, chain)) = best {
        layers.files = link_chain(dir, chain)?;
        durable::sync_dir(Path::new("."))?;
        log::info!("{} of {} finished files taken over from {}", layers.files.len(), expected.len(), dir.display());
    }
    layers.write()?;
    Ok(layers)
}

fn good_chain(
    dir: &Path,
    files: Vec<FileRecord>,
    seen: &mut HashMap<Inode, FileRecord>,
) -> Outcome<Vec<(FileRecord, Inode)>> {
    let mut chain = Vec::new();
    for file in files {
        let path = dir.join(&file.name);
        let found = check(&path, &file, seen);
        match found {
            Ok(Ok(inode)) => chain.push((file, inode)),
            Ok(Err(why)) => {
                log::warn!("{}: {why}; it and all after it are computed again", path.display());
                break;
            }
            Err(error) if is_lost(&error) => {
                log::warn!("{}: {error}; it and all after it are computed again", path.display());
                break;
            }
            Err(error) => return Err(Failure::io(format_args!("checking {}", path.display()), &error)),
        }
    }
    Ok(chain)
}

/// The inode of a file that is as recorded, or why it is not.
fn check(path: &Path, file: &FileRecord, seen: &mut HashMap<Inode, FileRecord>) -> io::Result<Result<Inode, String>> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() || meta.len() != file.size {
        return Ok(Err(format!("{} bytes, recorded {}", meta.len(), file.size)));
    }
    let inode = (meta.dev(), meta.ino());
    let found = match seen.entry(inode) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => {
            progress::step(format!("checking {} of an earlier attempt", file.name), 0.0, 0.0);
            unknown.insert(FileRecord::of_file(&file.name, path, |_| ())?)
        }
    };
    Ok(file.compare(found, "recorded").map(|()| inode))
}

/// Gone, or lost to a bad disk: nothing that trying again would bring back.
fn is_lost(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(EIO)
}

fn link_chain(dir: &Path, chain: Vec<(FileRecord, Inode)>) -> Outcome<Vec<FileRecord>> {
    let mut linked = Vec::new();
    for (file, inode) in chain {
        let what = format!("linking {} from {}", file.name, dir.display());
        match fs::hard_link(dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            done => done.at(&what)?,
        }
        let meta = fs::symlink_metadata(&file.name).at(&what)?;
        if (meta.dev(), meta.ino()) != inode {
            fs::remove_file(&file.name).at(&what)?;
            break;
        }
        linked.push(file);
    }
    Ok(linked)
}

/// Hard-links `file` of the basis into the working directory and checks it there; one that is missing or differs: step back.
pub fn link_from<T: serde::de::DeserializeOwned>(
    basis: &Basis<T>,
    file: &FileRecord,
    seen: impl FnMut(u64),
) -> Outcome<()> {
    let what = format!("linking {} from {}", file.name, basis.dir.display());
    match fs::hard_link(basis.dir.join(&file.name), &file.name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::step_back(basis.phase, format!("{what}: it is not there")));
        }
        linked => linked.at(&what)?,
    }
    let found =
        FileRecord::of_file(&file.name, Path::new(&file.name), seen).at(format_args!("checking {}", file.name))?;
    file.compare(&found, &format!("{} recorded", basis.phase)).map_err(|why| Failure::step_back(basis.phase, why))
}
