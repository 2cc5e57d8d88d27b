//! The parent cache of P1 (56 bytes per node; 56 GiB for 32 GiB sectors). The library generates it under its final name
//! and later accepts any file of the right length, so a process killed in between would ruin every later sector.
//! Therefore another process generates it in a temporary directory and publishes it, only a cache that has a record of
//! that is used, and each P1 verifies its digest: with one corrupt byte every later sector would be ruined.

use crate::durable;
use crate::environment;
use crate::exit;
use crate::failure::{Failure, IoContext, Outcome};
use crate::progress;
use crate::publish_lock::PublishLock;
use crate::sizes::{with_tree, Size};
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::{MerkleTreeTrait, PoRepConfig};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `sealflow-parents-<size>.json`: names a cache that has been published.
#[derive(Serialize, Deserialize)]
struct PublishedRecord {
    v: u64,
    file: String,
    size: u64,
    /// The digest, in hex, that the library has compared with its list.
    sha256: String,
}

fn record_path(size: Size) -> PathBuf {
    environment::parent_cache_dir().join(format!("sealflow-parents-{}.json", size.name()))
}

struct PublishedCache {
    path: PathBuf,
    file: File,
    sha256: String,
}

/// The published cache of this size, if there is one.
fn find_published(size: Size) -> Option<PublishedCache> {
    let record: PublishedRecord = serde_json::from_slice(&fs::read(record_path(size)).ok()?).ok()?;
    let path = environment::parent_cache_dir().join(&record.file);
    let file = File::open(&path).ok()?;
    let found = file.metadata().ok()?;
    (record.v == 1 && found.len() == record.size).then_some(PublishedCache { path, file, sha256: record.sha256 })
}

impl PublishedCache {
    /// Reads all of it: minutes of a phase that takes hours.
    fn is_intact(&self) -> Outcome<bool> {
        progress::begin_step("checking the parent cache", 0.0, 0.0);
        let (mut file, mut hash) = (&self.file, Sha256::new());
        let mut buffer = vec![0; 8 << 20];
        loop {
            match file.read(&mut buffer).context(format_args!("reading {}", self.path.display()))? {
                0 => return Ok(hex::encode(hash.finalize()) == self.sha256),
                n => hash.update(&buffer[..n]),
            }
        }
    }

    /// Removes it and its record, unless another process has published a new cache by now. There may be no room for two.
    fn remove(&self, size: Size) -> Outcome<()> {
        let _lock = lock(size)?;
        let removing = format!("removing {}", self.path.display());
        let inode = |file: &File| file.metadata().map(|found| found.ino()).context(&removing);
        if let Some(now) = find_published(size) {
            if inode(&now.file)? == inode(&self.file)? {
                fs::remove_file(record_path(size)).context(&removing)?;
                fs::remove_file(&self.path).context(&removing)?;
            }
        }
        Ok(())
    }
}

fn lock(size: Size) -> Outcome<PublishLock> {
    PublishLock::acquire(&environment::parent_cache_dir(), &format!("parents-{}", size.name()))
}

/// The path of a cache that has been verified. It must be called before the library is first used.
pub fn ensure(size: Size) -> Outcome<PathBuf> {
    if let Some(ignored) = environment::ignored_verify_cache() {
        log::warn!("{ignored} has no effect: the parent cache is always verified");
    }
    let path = match find_published(size) {
        Some(cache) if cache.is_intact()? => cache.path,
        found => {
            if let Some(corrupt) = found {
                log::warn!("{} is corrupt: it is generated again", corrupt.path.display());
                corrupt.remove(size)?;
            }
            generate_in_child(size)?
        }
    };
    environment::set_cache_verified();
    Ok(path)
}

/// Has a child process `sealflow-engine parents <size>` generate the cache, as the library uses one directory during the
/// whole life of a process. The child dies with this process; its last error becomes the failure.
fn generate_in_child(size: Size) -> Outcome<PathBuf> {
    progress::begin_step("making the parent cache", 0.0, 0.0);
    let mut child = Command::new("/proc/self/exe");
    child.args(["parents", size.name(), "--parent", &std::process::id().to_string()]).stderr(Stdio::piped());
    let generating = "generating the parent cache";
    let mut child = child.spawn().context(generating)?;
    let error = child.stderr.take().map(forward_stderr).unwrap_or_default();
    let status = child.wait().context(generating)?;
    let published = find_published(size).map(|cache| cache.path);
    published.ok_or_else(|| match error.strip_prefix("NoSpace: ") {
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
    let lock = lock(size)?;
    if find_published(size).is_some() {
        return Ok(());
    }
    let workspace = lock.create_workspace()?;
    std::env::set_var(environment::PARENT_CACHE, &workspace);
    let (path, sha256) = generate(size).map_err(|error| Failure::library("generating the parent cache", &error))?;
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
    durable::write_json(&record_path(size), &PublishedRecord { v: 1, file, size: len, sha256 })
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

/// Generates the cache. Returns its path and its digest, which the library has compared with the list of parent caches.
/// The list has all our sizes.
fn generate(size: Size) -> anyhow::Result<(PathBuf, String)> {
    fn cache<Tree: 'static + MerkleTreeTrait>(config: &PoRepConfig) -> anyhow::Result<(PathBuf, String)> {
        let cache = public_params::<Tree>(config)?.graph.parent_cache()?;
        Ok((cache.path, cache.digest))
    }
    with_tree!(size, cache(&size.porep()))
}

/// The fraction of the cache that the library has read for the current layer, 0…1. It reads the cache in ascending
/// order through small mapped windows, whose offsets are in /proc/self/maps: one on a single core; on several cores two,
/// beside one at the beginning that it never moves. `None` while nothing is mapped.
pub fn fraction_read(cache: &Path) -> Option<f64> {
    let size = fs::metadata(cache).ok()?.len();
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let offset = furthest_window(&maps, cache.to_str().unwrap_or("?"))?;
    Some(offset as f64 / size.max(1) as f64)
}

/// The highest offset at which the file is mapped.
fn furthest_window(maps: &str, file: &str) -> Option<u64> {
    let offset = |line: &str| u64::from_str_radix(line.split_whitespace().nth(2)?, 16).ok();
    maps.lines().filter(|line| line.ends_with(file)).filter_map(offset).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_window_counts() {
        let maps = "7f01-7f02 r--s 00000000 fe:00 11 /p/a.cache\n7f03-7f04 r--p 0002a000 fe:00 11 /p/a.cache\n\
                    7f05-7f06 r--p 0001c000 fe:00 11 /p/a.cache\n7f07-7f08 r--p 00fff000 fe:00 12 /p/b.cache\n7f09-7f0a rw-p 0 00:00 0\n";
        assert_eq!(furthest_window(maps, "/p/a.cache"), Some(0x2a000));
        assert_eq!(furthest_window(maps, "/p/c.cache"), None);
    }
}
