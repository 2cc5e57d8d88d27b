//! Files that take long to make and are shared by all: made in a directory of their own below their home by one process at a
//! time, then renamed one by one. Killed at any moment, nothing half-made is ever found under a final name.

use crate::durable;
use crate::failure::{At, Outcome};
use rustix::fs::FlockOperation;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Held by the one process that makes `what`; given back by the kernel when the process ends, however it ends.
pub struct Making {
    home: PathBuf,
    what: String,
    _lock: File,
}

impl Making {
    /// Waits until no other process makes `what` in `home` (which is created when missing).
    pub fn alone(home: &Path, what: &str) -> Outcome<Making> {
        fs::create_dir_all(home).at(format_args!("making {}", home.display()))?;
        let path = home.join(format!(".sealflow-{what}.lock"));
        let locking = format!("locking {}", path.display());
        let lock = File::options().create(true).append(true).open(&path).at(&locking)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).at(&locking)?;
        Ok(Making { home: home.to_path_buf(), what: what.to_owned(), _lock: lock })
    }

    /// An empty directory to work in. What killed runs have left is removed: as the lock is held, nobody works there.
    pub fn workspace(&self) -> Outcome<PathBuf> {
        let prefix = format!(".making-{}-", self.what);
        let listing = format!("listing {}", self.home.display());
        for entry in fs::read_dir(&self.home).at(&listing)? {
            let entry = entry.at(&listing)?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(entry.path()).at(format_args!("removing {}", entry.path().display()))?;
            }
        }
        let workspace = self.home.join(format!("{prefix}{}", std::process::id()));
        fs::create_dir(&workspace).at(format_args!("making {}", workspace.display()))?;
        Ok(workspace)
    }

    /// Makes the files of the workspace durable and gives them their final names, in this order: whoever sees the last sees
    /// all. The workspace is removed.
    pub fn publish(&self, workspace: &Path, names: &[String]) -> Outcome<()> {
        for name in names {
            durable::sync_file(&workspace.join(name))?;
        }
        for name in names {
            fs::rename(workspace.join(name), self.home.join(name)).at(format_args!("renaming {name}"))?;
            durable::sync_dir(&self.home)?;
        }
        fs::remove_dir_all(workspace).at(format_args!("removing {}", workspace.display()))
    }
}
