//! A file as results and layers.json name it: name, size, BLAKE3.

use crate::copy::pace::Pace;
use crate::stream::stream;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub name: String,
    pub size: u64,
    pub blake3: String,
}

impl FileRecord {
    pub fn new(name: &str, size: u64, hash: blake3::Hash) -> FileRecord {
        FileRecord { name: name.to_owned(), size, blake3: hash.to_hex().to_string() }
    }

    pub fn of_bytes(name: &str, bytes: &[u8]) -> FileRecord {
        FileRecord::new(name, bytes.len() as u64, blake3::hash(bytes))
    }

    /// Reads the whole of `path`; `on_read` receives the number of bytes as they are read.
    pub fn of_file(name: &str, path: &Path, mut on_read: impl FnMut(u64)) -> io::Result<FileRecord> {
        let (size, hash) = stream(&File::open(path)?, &Pace::unlimited(), |chunk| {
            on_read(chunk.len as u64);
            Ok(())
        })?;
        Ok(FileRecord::new(name, size, hash))
    }

    /// `self` is what was recorded; `whose` says by whom ("P1 recorded").
    pub fn compare(&self, found: &FileRecord, whose: &str) -> Result<(), String> {
        if self == found {
            return Ok(());
        }
        Err(format!(
            "{} differs: it is {} bytes, BLAKE3 {}; {whose} {} bytes, {}",
            self.name, found.size, found.blake3, self.size, self.blake3
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_hashes_like_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for len in [0, 1, 4096, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 40 << 20] {
            let bytes: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let mut on_read = 0;
            let found = FileRecord::of_file("x", &path, |n| on_read += n).unwrap();
            assert_eq!(found, FileRecord::of_bytes("x", &bytes));
            assert_eq!(on_read, u64::from(len));
        }
    }
}
