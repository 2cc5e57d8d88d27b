//! The parent cache of P1 (56 bytes per node; 56 GiB for 32 GiB sectors). The library generates it under its final name
//! and later accepts any file of the right length, so a process killed in between would ruin every later sector.
//! Therefore another process generates it in a temporary directory and publishes it, and only a cache that has a record
//! of that is used.

use crate::durable;
use crate::environment;
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
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

/// `sealflow-parents-<size>.json`: names a cache that has been published.
#[derive(Serialize, Deserialize)]
struct PublishedRecord {
    v: u64,
    file: String,
    size: u64,
}

fn record_path(size: Size) -> PathBuf {
    environment::parent_cache_dir().join(format!("sealflow-parents-{}.json", size.name()))
}

/// The published cache of this size, if there is one.
pub fn find_published(size: Size) -> Option<PathBuf> {
    let record: PublishedRecord = serde_json::from_slice(&fs::read(record_path(size)).ok()?).ok()?;
    let path = environment::parent_cache_dir().join(&record.file);
    let found = fs::metadata(&path).ok()?;
    (record.v == 1 && found.len() == record.size).then_some(path)
}

/// The path of the cache. If it is missing, a child process `sealflow-engine parents <size>` generates it first: the
/// library uses one directory during the whole life of a process. The child dies with this process; its last error
/// becomes the failure.
pub fn ensure(size: Size) -> Outcome<PathBuf> {
    if let Some(path) = find_published(size) {
        return Ok(path);
    }
    let mut child = Command::new("/proc/self/exe");
    child.args(["parents", size.name(), "--parent", &std::process::id().to_string()]).stderr(Stdio::piped());
    let generating = "generating the parent cache";
    let mut child = child.spawn().context(generating)?;
    let error = child.stderr.take().map(forward_stderr).unwrap_or_default();
    let status = child.wait().context(generating)?;
    find_published(size).ok_or_else(|| match error.strip_prefix("NoSpace: ") {
        Some(message) => Failure::NoSpace(message.to_owned()),
        None => Failure::PassingFault(format!("the parent cache could not be generated ({status}): {error}")),
    })
}

/// Copies the child's stderr to the log. Returns the last line that [`exit::print_error`] printed, without its prefix.
fn forward_stderr(stderr: impl Read) -> String {
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

/// `sealflow-engine parents <size> [--parent <pid>]`: generates and publishes the cache, unless another process has
/// done so by now.
pub fn run(size: Size, parent: Option<u32>) -> Outcome<()> {
    if let Some(parent) = parent {
        die_with_parent(parent)?;
    }
    let dir = environment::parent_cache_dir();
    let lock = PublishLock::acquire(&dir, &format!("parents-{}", size.name()))?;
    if find_published(size).is_some() {
        return Ok(());
    }
    let workspace = lock.create_workspace()?;
    std::env::set_var(environment::PARENT_CACHE, &workspace);
    let path = generate(size).map_err(|error| Failure::library("generating the parent cache", &error))?;
    if path.parent() != Some(workspace.as_path()) {
        return Err(Failure::PassingFault(format!(
            "the parent cache was written to {}, not to {}",
            path.display(),
            workspace.display()
        )));
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let len = fs::metadata(&path).context(format_args!("reading {}", path.display()))?.len();
    lock.publish(&workspace, std::slice::from_ref(&file))?;
    std::env::set_var(environment::PARENT_CACHE, &dir);
    durable::write_json(&record_path(size), &PublishedRecord { v: 1, file, size: len })
}

/// Makes the kernel kill this process when its parent ends, since nothing else would stop it then.
fn die_with_parent(parent: u32) -> Outcome<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).context("following the parent process")?;
    // The parent may have ended before that call.
    let current = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if current == Some(parent) {
        Ok(())
    } else {
        Err(Failure::PassingFault(format!("process {parent}, which needs the parent cache, has ended")))
    }
}

/// Generates the cache. The library then compares its digest with the list of parent caches, which has all our sizes.
fn generate(size: Size) -> anyhow::Result<PathBuf> {
    fn cache<Tree: 'static + MerkleTreeTrait>(config: &PoRepConfig) -> anyhow::Result<PathBuf> {
        Ok(public_params::<Tree>(config)?.graph.parent_cache()?.path)
    }
    with_tree!(size, cache(&size.proof().as_v1_config()))
}

/// The fraction of the cache that the library has read for the current layer, 0…1. It reads the cache in ascending
/// order through a small mapped window, whose offset is in /proc/self/maps. `None` while nothing is mapped.
pub fn fraction_read(cache: &Path) -> Option<f64> {
    let size = fs::metadata(cache).ok()?.len();
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with(cache.to_str().unwrap_or("?")))?;
    let offset = u64::from_str_radix(line.split_whitespace().nth(2)?, 16).ok()?;
    Some(offset as f64 / size.max(1) as f64)
}
