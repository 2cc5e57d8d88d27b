//! Files that take long to make and that all processes share: one process at a time makes them in a workspace of its own and
//! then renames them one by one. Whenever it is killed, nothing unfinished has a final name.

use crate::durable;
use crate::failure::{IoContext, Outcome};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Held by the one process that makes `what`. The kernel releases it when the process ends, however it ends.
pub struct PublishLock {
    home: PathBuf,
    what: String,
    _lock: File,
}

impl PublishLock {
    /// Waits until no other process makes `what` in `home` (which is created when missing).
    pub fn acquire(home: &Path, what: &str) -> Outcome<PublishLock> {
        fs::create_dir_all(home).context(format_args!("making {}", home.display()))?;
        let path = home.join(format!(".sealflow-{what}.lock"));
        let locking = format!("locking {}", path.display());
        let lock = File::options().create(true).append(true).open(&path).context(&locking)?;
        lock.lock().context(&locking)?;
        Ok(PublishLock { home: home.to_path_buf(), what: what.to_owned(), _lock: lock })
    }

    /// An empty directory to work in. Removes what killed processes have left: nobody else works there while the lock is held.
    pub fn workspace(&self) -> Outcome<PathBuf> {
        let prefix = format!(".making-{}-", self.what);
        let listing = format!("listing {}", self.home.display());
        for entry in fs::read_dir(&self.home).context(&listing)? {
            let entry = entry.context(&listing)?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(entry.path()).context(format_args!("removing {}", entry.path().display()))?;
            }
        }
        let workspace = self.home.join(format!("{prefix}{}", std::process::id()));
        fs::create_dir(&workspace).context(format_args!("making {}", workspace.display()))?;
        Ok(workspace)
    }

    /// Makes the files of the workspace durable and gives them their final names, in this order: whoever sees the last sees
    /// all. The workspace is removed.
    pub fn publish(&self, workspace: &Path, names: &[String]) -> Outcome<()> {
        for name in names {
            durable::sync_file(&workspace.join(name))?;
        }
        for name in names {
            fs::rename(workspace.join(name), self.home.join(name)).context(format_args!("renaming {name}"))?;
            durable::sync_dir(&self.home)?;
        }
        fs::remove_dir_all(workspace).context(format_args!("removing {}", workspace.display()))
    }
}
