//! The record of a file in results, receipts and layers.json: name, size, BLAKE3.

use crate::copy::rate_limiter::RateLimiter;
use crate::damage::Damage;
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

    /// The record of a file with this content.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> FileRecord {
        FileRecord::new(name, bytes.len() as u64, blake3::hash(bytes))
    }

    /// Reads and hashes the whole of `path`. `on_read` is called with the length of each chunk in bytes.
    pub fn of_file(name: &str, path: &Path, mut on_read: impl FnMut(u64)) -> io::Result<FileRecord> {
        let (size, hash) = stream(&File::open(path)?, &RateLimiter::unlimited(), |chunk| {
            on_read(chunk.len as u64);
            Ok(())
        })?;
        Ok(FileRecord::new(name, size, hash))
    }

    /// Compares `found` with this record. `recorded_by` is for the message and names the source of the record, such as
    /// "P1 recorded".
    pub fn compare(&self, found: &FileRecord, recorded_by: &str) -> Result<(), Damage> {
        if self == found {
            return Ok(());
        }
        Err(Damage::found(format!(
            "{} differs: it is {} bytes, BLAKE3 {}; {recorded_by} {} bytes, {}",
            self.name, found.size, found.blake3, self.size, self.blake3
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_bytes_have_the_same_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for len in [0, 1, 4096, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 40 << 20] {
            let bytes: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let mut bytes_read = 0;
            let found = FileRecord::of_file("x", &path, |n| bytes_read += n).unwrap();
            assert_eq!(found, FileRecord::of_bytes("x", &bytes));
            assert_eq!(bytes_read, u64::from(len));
        }
    }
}
