//! Writes files that survive a power failure: temporary name, fsync, rename, fsync of the directory.

use crate::failure::{IoContext, Outcome};
use serde::Serialize;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Atomically replaces `path` with the JSON of `value`.
pub fn write_json(path: &Path, value: &impl Serialize) -> Outcome<()> {
    let bytes =
        serde_json::to_vec(value).map_err(std::io::Error::from).context(format_args!("encoding {}", path.display()))?;
    write(path, &bytes)
}

/// Atomically replaces `path` with `bytes`. The temporary name begins with a dot and contains the process ID.
pub fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let what = format_args!("writing {}", path.display()).to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let mut file = File::create(&temporary).context(&what)?;
    file.write_all(bytes).context(&what)?;
    file.sync_all().context(&what)?;
    fs::rename(&temporary, path).context(&what)?;
    sync_dir(parent(path))
}

/// Makes the content of a file durable, but not its name: see [`sync_dir`].
pub fn sync_file(path: &Path) -> Outcome<()> {
    File::open(path).and_then(|file| file.sync_all()).context(format_args!("syncing {}", path.display()))
}

/// Makes the names in a directory durable.
pub fn sync_dir(path: &Path) -> Outcome<()> {
    File::open(path).and_then(|dir| dir.sync_all()).context(format_args!("syncing directory {}", path.display()))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("."),
    }
}
