//! Lets P1 reuse the layers that earlier attempts have finished, up to 60 hours of work. Every byte is read and
//! verified first.

use crate::damage::Damage;
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{IoContext, Outcome};
use crate::job::Job;
use crate::layers::Layers;
use crate::progress;
use std::collections::hash_map::{Entry, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode. Attempts that reused each other's files have hard links to the same inode, which is then read only
/// once.
type Inode = (u64, u64);

fn inode_of(meta: &Metadata) -> Inode {
    (meta.dev(), meta.ino())
}

struct VerifiedFile {
    file: FileRecord,
    inode: Inode,
}

/// Links the longest valid chain of files that one of the `earlier` attempts has recorded into the working directory
/// and records it in its layers.json. A file that is missing or differs from its record ends the chain: it and all
/// later ones are computed again. A file that exists but cannot be read is a failure instead, since bringing it back
/// may save days of computation.
pub fn reuse_layers(job: &Job) -> Outcome<Layers> {
    let expected = job.size.label_files();
    let mut candidates: Vec<(&PathBuf, Vec<FileRecord>)> = Vec::new();
    for dir in &job.earlier {
        candidates.push((dir, Layers::read_recorded(dir, job.input_hash, &expected)?));
    }
    candidates.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));

    let mut hashed = HashMap::new();
    let mut best: Option<(&PathBuf, Vec<VerifiedFile>)> = None;
    for (dir, files) in candidates {
        let best_len = best.as_ref().map_or(0, |(_, chain)| chain.len());
        if files.len() <= best_len {
            break;
        }
        let chain = verify_chain(dir, files, &mut hashed)?;
        if chain.len() > best_len {
            best = Some((dir, chain));
        }
    }

    let mut layers = Layers::new(job.input_hash);
    if let Some((dir, chain)) = best {
        layers.files = link_chain(dir, chain)?;
        durable::sync_dir(Path::new("."))?;
        log::info!("reusing {} of {} finished files of {}", layers.files.len(), expected.len(), dir.display());
    }
    layers.write()?;
    Ok(layers)
}

/// The files at the beginning of `files` that match their records.
fn verify_chain(
    dir: &Path,
    files: Vec<FileRecord>,
    hashed: &mut HashMap<Inode, FileRecord>,
) -> Outcome<Vec<VerifiedFile>> {
    let mut chain = Vec::new();
    for file in files {
        let path = dir.join(&file.name);
        match verify_file(&path, &file, hashed).context(format_args!("checking {}", path.display()))? {
            Ok(inode) => chain.push(VerifiedFile { file, inode }),
            Err(damage) => {
                log::warn!("{}: {damage}; this file and all later ones are computed again", path.display());
                break;
            }
        }
    }
    Ok(chain)
}

/// The inode of a file that matches its record, or how it does not.
fn verify_file(
    path: &Path,
    file: &FileRecord,
    hashed: &mut HashMap<Inode, FileRecord>,
) -> io::Result<Result<Inode, Damage>> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Damage::found("it is missing"))),
        meta => meta?,
    };
    if !meta.is_file() || meta.len() != file.size {
        return Ok(Err(Damage::found(format!("it has {} bytes; the record has {}", meta.len(), file.size))));
    }
    let found = match hashed.entry(inode_of(&meta)) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => {
            progress::begin_step(format!("checking {} of an earlier attempt", file.name), 0.0, 0.0);
            entry.insert(FileRecord::of_file(&file.name, path, |_| ())?)
        }
    };
    Ok(file.compare(found, "layers.json recorded").map(|()| inode_of(&meta)))
}

/// Links the files of the chain into the working directory, up to the first one that has been removed or replaced.
fn link_chain(dir: &Path, chain: Vec<VerifiedFile>) -> Outcome<Vec<FileRecord>> {
    let mut linked = Vec::new();
    for VerifiedFile { file, inode: verified } in chain {
        let what = format!("linking {} from {}", file.name, dir.display());
        match fs::hard_link(dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            result => result.context(&what)?,
        }
        // Another file may have been put there since the verification. It was not read, so it is not used.
        if inode_of(&fs::symlink_metadata(&file.name).context(&what)?) != verified {
            fs::remove_file(&file.name).context(&what)?;
            break;
        }
        linked.push(file);
    }
    Ok(linked)
}
