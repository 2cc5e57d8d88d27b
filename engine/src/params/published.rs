//! The published parameter files: which there are.

use super::note::{Note, State};
use crate::failure::{Failure, Outcome};
use serde::Serialize;
use std::fs;
use std::io;
use std::path::Path;
use storage_proofs_core::parameter_cache::{get_parameter_data_from_id, ParameterData};

/// A file on the library's list of published parameters, and what is known of it without reading it.
#[derive(Serialize)]
pub struct PublishedFile {
    name: String,
    /// Content ID: a gateway serves the file under this name.
    cid: String,
    /// The first 16 bytes of the file's BLAKE2b, in hex.
    digest: String,
    /// Bytes that the file in the directory has; `null` if there is none.
    bytes: Option<u64>,
    /// Whether the file was verified and has not been modified since.
    checked: bool,
}

impl PublishedFile {
    /// Looks for the published file `name` in `dir`. Fails with `MissingParameters` if it is not on the library's list.
    pub fn find(name: String, dir: &Path) -> Outcome<PublishedFile> {
        let ParameterData { cid, digest, .. } = published(&name)?;
        let (cid, digest) = (cid.clone(), digest.clone());
        let path = dir.join(&name);
        let meta = match fs::metadata(&path) {
            Ok(meta) => Some(meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io(format_args!("reading {}", path.display()), &error)),
        };
        let vouches = |meta| Note::read(&path).is_some_and(|note| note.vouches_for(State::of(meta)));
        let (bytes, checked) = (meta.as_ref().map(fs::Metadata::len), meta.as_ref().is_some_and(vouches));
        Ok(PublishedFile { name, cid, digest, bytes, checked })
    }
}

/// What the library's list (parameters.json, embedded by storage-proofs-core `parameter_cache.rs`) says of a file.
pub fn published(name: &str) -> Outcome<&ParameterData> {
    get_parameter_data_from_id(name).ok_or_else(|| {
        Failure::MissingParameters(format!("{name} is not on the library's list of published parameters"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_library_s_list_are_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let found = PublishedFile::find("v28-other.vk".to_owned(), dir.path());
        assert!(matches!(found, Err(Failure::MissingParameters(_))));
    }
}
