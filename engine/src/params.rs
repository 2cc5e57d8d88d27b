//! Proof parameters (Groth16): made for test sizes, only ever checked for 32GiB and 64GiB, whose parameters come from the
//! trusted setup and are published.

use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::paths;
use crate::progress;
use crate::publish_lock::PublishLock;
use crate::sizes::{with_tree, Size};
use blake2b_simd::Params as Blake2b;
use filecoin_proofs::constants::DefaultPieceHasher;
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::{MerkleTreeTrait, PoRepConfig};
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_core::parameter_cache::{
    get_parameter_data_from_id, parameter_cache_dir, parameter_id, verifying_key_id,
};
use storage_proofs_porep::stacked::{StackedCompound, StackedDrg};

/// Names of the files that hold the parameters of one size.
struct Files {
    params: String,
    vk: String,
}

impl Files {
    fn of(size: Size) -> Outcome<Files> {
        let id =
            size.proof().circuit_identifier().map_err(|error| Failure::library("naming the parameters", &error))?;
        Ok(Files { params: parameter_id(&id), vk: verifying_key_id(&id) })
    }
}

/// The verifying key of `size` is there, can be read and, for a production size, is the published one.
pub fn require_verifying_key(size: Size) -> Outcome<()> {
    let path = present(size, &Files::of(size)?.vk)?;
    fs::read(&path).context(format_args!("reading {}", path.display()))?;
    if size.is_production() {
        check_digest(&path)
    } else {
        Ok(())
    }
}

/// All parameters of `size` are there and, for a production size, are the published ones (hashed once: see [`Checked`]).
pub fn require(size: Size) -> Outcome<()> {
    require_verifying_key(size)?;
    let path = present(size, &Files::of(size)?.params)?;
    if size.is_production() && !Checked::holds(&path) {
        progress::step("checking the published parameters", 0.0, 0.0);
        check_digest(&path)?;
        Checked::note(&path)?;
    }
    Ok(())
}

/// Whether `params` need not be run; nothing is hashed.
pub fn are_present(size: Size) -> bool {
    Files::of(size).is_ok_and(|files| present(size, &files.params).is_ok() && present(size, &files.vk).is_ok())
}

fn present(size: Size, name: &str) -> Outcome<PathBuf> {
    let dir = paths::parameters();
    let path = dir.join(name);
    match fs::metadata(&path) {
        Ok(found) if found.len() > 0 => Ok(path),
        Ok(_) => Err(Failure::MissingParameters(format!("{} is empty", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mend = if size.is_production() {
                "copy the published file there".to_owned()
            } else {
                format!("run `sealflow-engine params {}`", size.name())
            };
            Err(Failure::MissingParameters(format!("{name} is not in {}: {mend}", dir.display())))
        }
        Err(error) => Err(Failure::io(format_args!("reading {}", path.display()), &error)),
    }
}

/// `<file>.checked`: size and time of the file whose digest was found right.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    v: u64,
    size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

impl Checked {
    fn of(found: &Metadata) -> Checked {
        Checked { v: 1, size: found.len(), modified_seconds: found.mtime(), modified_nanoseconds: found.mtime_nsec() }
    }

    fn path(of: &Path) -> PathBuf {
        let mut path = of.as_os_str().to_owned();
        path.push(".checked");
        path.into()
    }

    fn holds(path: &Path) -> bool {
        let noted = fs::read(Checked::path(path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        fs::metadata(path).is_ok_and(|found| noted == Some(Checked::of(&found)))
    }

    fn note(path: &Path) -> Outcome<()> {
        let found = fs::metadata(path).context(format_args!("reading {}", path.display()))?;
        if let Err(failed) = durable::write_json(&Checked::path(path), &Checked::of(&found)) {
            // The parameters may lie on a file system that is mounted read-only: then each proof checks them again.
            log::warn!("{failed}");
        }
        Ok(())
    }
}

/// Compares a published file with the digest in the library's list: BLAKE2b, the first 16 bytes (storage-proofs-core
/// `parameter_cache.rs`, whose parameters.json is embedded).
fn check_digest(path: &Path) -> Outcome<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let published = get_parameter_data_from_id(&name).ok_or_else(|| {
        Failure::MissingParameters(format!("{name} is not on the library's list of published parameters"))
    })?;
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
        progress::within(done as f64 / size as f64);
    }
    let found = hash.finalize().to_hex()[..32].to_owned();
    if found != published.digest {
        return Err(Failure::MissingParameters(format!(
            "{} is not the published file: its BLAKE2b is {found}, published {}",
            path.display(),
            published.digest
        )));
    }
    Ok(())
}

/// `sealflow-engine params <size> [--only-check]`
pub fn make(size: Size, only_check: bool) -> Outcome<()> {
    let home = paths::parameters();
    if only_check || size.is_production() {
        print_step("checking");
        require(size)?;
    } else if !are_present(size) {
        print_step("waiting for another process that makes the same parameters");
        let lock = PublishLock::acquire(&home, &format!("params-{}", size.name()))?;
        if !are_present(size) {
            generate_in(&lock, size)?;
        }
    }
    print_line(&json!({ "step": "done", "done": true, "dir": home }));
    Ok(())
}

fn print_step(step: &str) {
    print_line(&json!({ "step": step, "done": false }));
}

/// Minutes of work do not end because nobody reads on.
fn print_line(line: &Value) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn generate_in(lock: &PublishLock, size: Size) -> Outcome<()> {
    fn generate<Tree: 'static + MerkleTreeTrait>(config: &PoRepConfig) -> anyhow::Result<()> {
        type Compound<Tree> = StackedCompound<Tree, DefaultPieceHasher>;
        let public = public_params::<Tree>(config)?;
        // Both write what they make into the parameter directory.
        <Compound<Tree> as CompoundProof<StackedDrg<'_, Tree, DefaultPieceHasher>, _>>::groth_params(
            Some(&mut OsRng),
            &public,
        )?;
        <Compound<Tree> as CompoundProof<StackedDrg<'_, Tree, DefaultPieceHasher>, _>>::verifying_key(
            Some(&mut OsRng),
            &public,
        )?;
        Ok(())
    }
    let files = Files::of(size)?;
    let workspace = lock.workspace()?;
    std::env::set_var(paths::PARAMETERS, &workspace);
    if parameter_cache_dir() != workspace {
        // The library reads the variable once. Were it read before, half-made files would appear under final names.
        return Err(Failure::PassingFault(format!("the library would write to {}", parameter_cache_dir().display())));
    }
    print_step("making the parameters (2KiB: about 8 minutes on 2 cores, 5 GB of memory)");
    with_tree!(size, generate(&size.proof().as_v1_config()))
        .map_err(|error| Failure::library("making the parameters", &error))?;
    print_step("publishing");
    lock.publish(&workspace, &[files.vk, files.params])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_lists_the_published_files() {
        for size in [Size::GiB32, Size::GiB64] {
            let files = Files::of(size).unwrap();
            for name in [files.params, files.vk] {
                assert_eq!(get_parameter_data_from_id(&name).expect(&name).sector_size, size.bytes());
            }
        }
    }

    #[test]
    fn a_note_holds_for_the_file_that_was_checked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.params");
        fs::write(&path, "one").unwrap();
        assert!(!Checked::holds(&path));
        Checked::note(&path).unwrap();
        assert!(Checked::holds(&path));
        fs::write(&path, "longer").unwrap();
        assert!(!Checked::holds(&path));
    }

    #[test]
    fn a_file_that_is_not_the_published_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(Files::of(Size::GiB32).unwrap().vk);
        fs::write(&path, "not a key").unwrap();
        assert!(
            matches!(check_digest(&path), Err(Failure::MissingParameters(why)) if why.contains("0c7b4aac1c40fdb7eb82bc355b41addf"))
        );
    }
}
