//! Generates files that take long and that all processes share. The process that holds the lock works in its own
//! temporary directory and then renames the files one by one, so that a killed process never leaves unfinished files
//! under final names.

use crate::durable;
use crate::failure::{IoContext, Outcome};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The lock of the one process that generates `what`. The kernel releases it when the process ends, even when it is
/// killed.
pub struct PublishLock {
    dir: PathBuf,
    what: String,
    _lock: File,
}

impl PublishLock {
    /// Waits for the lock on `what` in `dir`, which is created if missing.
    pub fn acquire(dir: &Path, what: &str) -> Outcome<PublishLock> {
        fs::create_dir_all(dir).context(format_args!("creating {}", dir.display()))?;
        let path = dir.join(format!(".sealflow-{what}.lock"));
        let locking = format!("locking {}", path.display());
        let lock = File::options().create(true).append(true).open(&path).context(&locking)?;
        lock.lock().context(&locking)?;
        Ok(PublishLock { dir: dir.to_path_buf(), what: what.to_owned(), _lock: lock })
    }

    /// Creates an empty directory for the work. Removes those of killed processes first; no other can be in use while
    /// the lock is held.
    pub fn create_workspace(&self) -> Outcome<PathBuf> {
        let prefix = format!(".making-{}-", self.what);
        let listing = format!("listing {}", self.dir.display());
        for entry in fs::read_dir(&self.dir).context(&listing)? {
            let entry = entry.context(&listing)?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(entry.path()).context(format_args!("removing {}", entry.path().display()))?;
            }
        }
        let workspace = self.dir.join(format!("{prefix}{}", std::process::id()));
        fs::create_dir(&workspace).context(format_args!("creating {}", workspace.display()))?;
        Ok(workspace)
    }

    /// Makes the files in the workspace durable and renames them to their final names, in this order: if the last one
    /// is visible, all are. Then removes the workspace.
    pub fn publish(&self, workspace: &Path, names: &[String]) -> Outcome<()> {
        for name in names {
            durable::sync_file(&workspace.join(name))?;
        }
        for name in names {
            fs::rename(workspace.join(name), self.dir.join(name)).context(format_args!("renaming {name}"))?;
            durable::sync_dir(&self.dir)?;
        }
        fs::remove_dir_all(workspace).context(format_args!("removing {}", workspace.display()))
    }
}
