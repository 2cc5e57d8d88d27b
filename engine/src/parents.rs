//! The parent cache of P1 (56 bytes a node; 56 GiB at 32 GiB). The library writes it under its final name and later accepts
//! whatever has the right length, so a run that was killed in between would spoil every sector after it. Here it is made by
//! another process in a directory of its own, and only one that was published from there counts: a note beside it says so.

use crate::durable;
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
use crate::paths;
use crate::publish_lock::PublishLock;
use crate::sizes::{with_tree, Size};
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::{MerkleTreeTrait, PoRepConfig};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Serialize, Deserialize)]
struct Note {
    v: u64,
    file: String,
    size: u64,
}

fn note_path(size: Size) -> PathBuf {
    paths::parents().join(format!("sealflow-parents-{}.json", size.name()))
}

/// The published cache of this size, if there is one.
pub fn published(size: Size) -> Option<PathBuf> {
    let note: Note = serde_json::from_slice(&fs::read(note_path(size)).ok()?).ok()?;
    let path = paths::parents().join(&note.file);
    let found = fs::metadata(&path).ok()?;
    (note.v == 1 && found.len() == note.size).then_some(path)
}

/// Makes the cache when it is missing: `sealflow-engine parents <size>` in a process of its own (the library settles on one
/// directory for the whole process), which dies with this one. Its last error is this one's.
pub fn ensure(size: Size) -> Outcome<PathBuf> {
    if let Some(path) = published(size) {
        return Ok(path);
    }
    let mut child = Command::new("/proc/self/exe");
    child.args(["parents", size.name(), "--parent", &std::process::id().to_string()]).stderr(Stdio::piped());
    let making = "making the parent cache";
    let mut child = child.spawn().context(making)?;
    let error = child.stderr.take().map(forward_errors).unwrap_or_default();
    let status = child.wait().context(making)?;
    published(size).ok_or_else(|| match error.strip_prefix("NoSpace: ") {
        Some(message) => Failure::NoSpace(message.to_owned()),
        None => Failure::PassingFault(format!("the parent cache could not be made ({status}): {error}")),
    })
}

/// Passes the child's lines on to the log. Returns the last one that [`exit::print_error`] printed, without its prefix.
fn forward_errors(stderr: impl Read) -> String {
    let mut error = String::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(message) = line.strip_prefix(exit::PREFIX) {
            message.clone_into(&mut error);
        }
        let _ = writeln!(io::stderr(), "{line}");
    }
    error
}

/// `sealflow-engine parents <size> [--parent <pid>]`: makes and publishes the cache, unless another process has meanwhile.
pub fn make(size: Size, parent: Option<u32>) -> Outcome<()> {
    if let Some(parent) = parent {
        die_with(parent)?;
    }
    let home = paths::parents();
    let lock = PublishLock::acquire(&home, &format!("parents-{}", size.name()))?;
    if published(size).is_some() {
        return Ok(());
    }
    let workspace = lock.workspace()?;
    std::env::set_var(paths::PARENTS, &workspace);
    let made = generate(size).map_err(|error| Failure::library("making the parent cache", &error))?;
    if made.parent() != Some(workspace.as_path()) {
        return Err(Failure::PassingFault(format!(
            "the parent cache went to {}, not to {}",
            made.display(),
            workspace.display()
        )));
    }
    let file = made.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let len = fs::metadata(&made).context(format_args!("reading {}", made.display()))?.len();
    lock.publish(&workspace, std::slice::from_ref(&file))?;
    std::env::set_var(paths::PARENTS, &home);
    durable::write_json(&note_path(size), &Note { v: 1, file, size: len })
}

/// Nobody would stop this process once the one that waits for it is gone.
fn die_with(parent: u32) -> Outcome<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).context("following the parent process")?;
    // It may have ended before that.
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) {
        Ok(())
    } else {
        Err(Failure::PassingFault(format!("process {parent}, which wanted the parent cache, has ended")))
    }
}

/// The library checks the digest of what it has just made against its list of parent caches, which has all our sizes.
fn generate(size: Size) -> anyhow::Result<PathBuf> {
    fn cache<Tree: 'static + MerkleTreeTrait>(config: &PoRepConfig) -> anyhow::Result<PathBuf> {
        Ok(public_params::<Tree>(config)?.graph.parent_cache()?.path)
    }
    with_tree!(size, cache(&size.proof().as_v1_config()))
}

/// How far the library is within a layer, 0…1: it reads the parent cache in ascending order through a small mapped window, whose
/// offset /proc/self/maps shows.
pub fn position(cache: &Path) -> Option<f64> {
    let size = fs::metadata(cache).ok()?.len();
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with(cache.to_str().unwrap_or("?")))?;
    let offset = u64::from_str_radix(line.split_whitespace().nth(2)?, 16).ok()?;
    Some(offset as f64 / size.max(1) as f64)
}
