//! P1 goes on from what earlier attempts have finished: up to 60 hours of work, so every byte of it is read and compared.

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

/// Device and inode. Attempts that took over from each other hold hard links of one file: it is read once.
type Inode = (u64, u64);

fn inode(of: &Metadata) -> Inode {
    (of.dev(), of.ino())
}

struct Good {
    file: FileRecord,
    inode: Inode,
}

/// Links the longest good chain that one of the `earlier` attempts has recorded into the working directory, and records it
/// here. A file that is gone or not what was recorded ends the chain: it and all after it are computed again. One that is
/// there but cannot be read fails: that may pass, and nobody should compute for days what a person could bring back.
pub fn reuse_layers(job: &Job) -> Outcome<Layers> {
    let expected = job.size.labels();
    let mut candidates: Vec<(&PathBuf, Vec<FileRecord>)> = Vec::new();
    for dir in &job.earlier {
        candidates.push((dir, Layers::recorded_in(dir, job.input_hash, &expected)?));
    }
    candidates.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));

    let mut read = HashMap::new();
    let mut best: Option<(&PathBuf, Vec<Good>)> = None;
    for (dir, files) in candidates {
        let reached = best.as_ref().map_or(0, |(_, chain)| chain.len());
        if files.len() <= reached {
            break;
        }
        let chain = good_chain(dir, files, &mut read)?;
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

fn good_chain(dir: &Path, files: Vec<FileRecord>, read: &mut HashMap<Inode, FileRecord>) -> Outcome<Vec<Good>> {
    let mut chain = Vec::new();
    for file in files {
        let path = dir.join(&file.name);
        match check(&path, &file, read).context(format_args!("checking {}", path.display()))? {
            Ok(inode) => chain.push(Good { file, inode }),
            Err(reason) => {
                log::warn!("{}: {reason}; it and all after it are computed again", path.display());
                break;
            }
        }
    }
    Ok(chain)
}

/// The inode of a file that is as recorded, or the reason why it is not.
fn check(path: &Path, file: &FileRecord, read: &mut HashMap<Inode, FileRecord>) -> io::Result<Result<Inode, String>> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err("it is gone".to_owned())),
        meta => meta?,
    };
    if !meta.is_file() || meta.len() != file.size {
        return Ok(Err(format!("it has {} bytes, recorded were {}", meta.len(), file.size)));
    }
    let found = match read.entry(inode(&meta)) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => {
            progress::step(format!("checking {} of an earlier attempt", file.name), 0.0, 0.0);
            unknown.insert(FileRecord::of_file(&file.name, path, |_| ())?)
        }
    };
    Ok(file.compare(found, "recorded were").map(|()| inode(&meta)))
}

fn link_chain(dir: &Path, chain: Vec<Good>) -> Outcome<Vec<FileRecord>> {
    let mut linked = Vec::new();
    for Good { file, inode: checked } in chain {
        let what = format!("linking {} from {}", file.name, dir.display());
        match fs::hard_link(dir.join(&file.name), &file.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            done => done.context(&what)?,
        }
        // Whoever may have put another file there since it was read: what was read is what counts.
        if inode(&fs::symlink_metadata(&file.name).context(&what)?) != checked {
            fs::remove_file(&file.name).context(&what)?;
            break;
        }
        linked.push(file);
    }
    Ok(linked)
}
