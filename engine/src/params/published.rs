//! The published parameter files: which there are, and checks that files are them.

use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::progress;
use blake2b_simd::Params as Blake2b;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
        let bytes = match fs::metadata(&path) {
            Ok(meta) => Some(meta.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io(format_args!("reading {}", path.display()), &error)),
        };
        Ok(PublishedFile { name, cid, digest, bytes, checked: DigestCheck::is_current(&path) })
    }
}

/// What the library's list (parameters.json, embedded by storage-proofs-core `parameter_cache.rs`) says of a file.
fn published(name: &str) -> Outcome<&ParameterData> {
    get_parameter_data_from_id(name).ok_or_else(|| {
        Failure::MissingParameters(format!("{name} is not on the library's list of published parameters"))
    })
}

/// Like [`check_digest`], but a file that was verified before is not read again unless it has been modified.
pub fn check_digest_once(path: &Path) -> Outcome<()> {
    if !DigestCheck::is_current(path) {
        progress::begin_step("checking the published parameters", 0.0, 0.0);
        check_digest(path)?;
        DigestCheck::write(path)?;
    }
    Ok(())
}

/// Compares the first 16 bytes of the file's BLAKE2b with the digest in the library's list of published parameters.
/// Fails with `MissingParameters` if they differ.
pub fn check_digest(path: &Path) -> Outcome<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let published = published(&name)?;
    let reading = format!("reading {}", path.display());
    let mut file = File::open(path).context(&reading)?;
    let size = file.metadata().context(&reading)?.len().max(1);
    let mut hash = Blake2b::new().to_state();
    let mut buffer = vec![0; 8 << 20];
    let mut done = 0;
    loop {
        let n = file.read(&mut buffer).context(&reading)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        done += n as u64;
        progress::set_step_fraction(done as f64 / size as f64);
    }
    let found = hash.finalize().to_hex()[..32].to_owned();
    if found != published.digest {
        return Err(Failure::MissingParameters(format!(
            "{} is not the published file: its BLAKE2b is {found}, the published one is {}",
            path.display(),
            published.digest
        )));
    }
    Ok(())
}

/// `<file>.checked`: size and modification time of a file whose digest has been verified.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DigestCheck {
    v: u64,
    size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

impl DigestCheck {
    fn of(meta: &Metadata) -> DigestCheck {
        DigestCheck { v: 1, size: meta.len(), modified_seconds: meta.mtime(), modified_nanoseconds: meta.mtime_nsec() }
    }

    fn path(parameter_file: &Path) -> PathBuf {
        let mut path = parameter_file.as_os_str().to_owned();
        path.push(".checked");
        path.into()
    }

    /// Whether the file `path` was verified and has not been modified since.
    fn is_current(path: &Path) -> bool {
        let recorded = fs::read(DigestCheck::path(path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        fs::metadata(path).is_ok_and(|meta| recorded == Some(DigestCheck::of(&meta)))
    }

    /// Records that the file `path`, as it is now, has been verified.
    fn write(path: &Path) -> Outcome<()> {
        let meta = fs::metadata(path).context(format_args!("reading {}", path.display()))?;
        if let Err(failed) = durable::write_json(&DigestCheck::path(path), &DigestCheck::of(&meta)) {
            // The file system may be mounted read-only. Then each proof verifies the parameters again.
            log::warn!("{failed}");
        }
        Ok(())
    }
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

    #[test]
    fn a_modified_file_has_to_be_checked_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.params");
        fs::write(&path, "one").unwrap();
        assert!(!DigestCheck::is_current(&path));
        DigestCheck::write(&path).unwrap();
        assert!(DigestCheck::is_current(&path));
        fs::write(&path, "longer").unwrap();
        assert!(!DigestCheck::is_current(&path));
    }

    #[test]
    fn a_file_with_another_digest_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-82a357d2f2ca81dc61bb45f4a762807aedee1b0a53fd6c4e77b46a01bfef7820.vk");
        fs::write(&path, "not a key").unwrap();
        assert!(
            matches!(check_digest(&path), Err(Failure::MissingParameters(reason)) if reason.contains("0c7b4aac1c40fdb7eb82bc355b41addf"))
        );
    }
}
