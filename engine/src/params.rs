//! Groth16 proof parameters. For test sizes the engine generates them. Those of 32GiB and 64GiB are published, as they
//! come from the trusted setup; the engine only checks them.

use crate::environment;
use crate::failure::{Failure, IoContext, Outcome};
use crate::publish_lock::PublishLock;
use crate::published_params::{check_digest, check_digest_once};
use crate::sizes::{with_tree, Size};
use filecoin_proofs::constants::DefaultPieceHasher;
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::{MerkleTreeTrait, PoRepConfig};
use rand::rngs::OsRng;
use serde_json::{json, Value};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_core::parameter_cache::{parameter_cache_dir, parameter_id, verifying_key_id};
use storage_proofs_porep::stacked::{StackedCompound, StackedDrg};

/// Names of the parameter files of one size.
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

/// The path of the verifying key of `size`. Fails with `MissingParameters` unless it exists and, for a production size,
/// is the published one. An I/O error is a passing fault.
pub fn require_verifying_key(size: Size) -> Outcome<PathBuf> {
    let path = find_file(size, &Files::of(size)?.vk)?;
    fs::read(&path).context(format_args!("reading {}", path.display()))?;
    if size.is_production() {
        check_digest(&path)?;
    }
    Ok(path)
}

/// Fails with `MissingParameters` unless all parameters of `size` exist and, for a production size, are the published
/// ones. The `.params` file of a production size is hashed again only after it was modified.
pub fn require(size: Size) -> Outcome<()> {
    require_verifying_key(size)?;
    let path = find_file(size, &Files::of(size)?.params)?;
    if size.is_production() {
        check_digest_once(&path)
    } else {
        Ok(())
    }
}

/// Whether all parameters of `size` exist. Nothing is hashed.
pub fn are_present(size: Size) -> bool {
    Files::of(size).is_ok_and(|files| find_file(size, &files.params).is_ok() && find_file(size, &files.vk).is_ok())
}

/// The path of a parameter file that exists and is not empty.
fn find_file(size: Size, name: &str) -> Outcome<PathBuf> {
    let dir = environment::parameter_dir();
    let path = dir.join(name);
    match fs::metadata(&path) {
        Ok(meta) if meta.len() > 0 => Ok(path),
        Ok(_) => Err(Failure::MissingParameters(format!("{} is empty", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let remedy = if size.is_production() {
                "copy the published file there".to_owned()
            } else {
                format!("run `sealflow-engine params {}`", size.name())
            };
            Err(Failure::MissingParameters(format!("{name} is not in {}: {remedy}", dir.display())))
        }
        Err(error) => Err(Failure::io(format_args!("reading {}", path.display()), &error)),
    }
}

/// `sealflow-engine params <size> [--only-check]`: generates or checks the parameters of `size` and prints the
/// progress.
pub fn run(size: Size, only_check: bool) -> Outcome<()> {
    let dir = environment::parameter_dir();
    if only_check || size.is_production() {
        print_step("checking");
        require(size)?;
    } else if !are_present(size) {
        print_step("waiting for another process that is generating the same parameters");
        let lock = PublishLock::acquire(&dir, &format!("params-{}", size.name()))?;
        if !are_present(size) {
            generate_in(&lock, size)?;
        }
    }
    print_line(&json!({ "step": "done", "done": true, "dir": dir }));
    Ok(())
}

fn print_step(step: &str) {
    print_line(&json!({ "step": step, "done": false }));
}

/// Ignores a closed stdout, which should not abort minutes of work.
fn print_line(line: &Value) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Generates the parameters in a workspace and publishes them.
fn generate_in(lock: &PublishLock, size: Size) -> Outcome<()> {
    fn generate<Tree: 'static + MerkleTreeTrait>(config: &PoRepConfig) -> anyhow::Result<()> {
        type Compound<Tree> = StackedCompound<Tree, DefaultPieceHasher>;
        let public = public_params::<Tree>(config)?;
        // Both write into the parameter directory.
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
    let workspace = lock.create_workspace()?;
    std::env::set_var(environment::PARAMETER_CACHE, &workspace);
    if parameter_cache_dir() != workspace {
        // The library reads the variable only once. If it had read it before, unfinished files would get their final
        // names.
        return Err(Failure::PassingFault(format!("the library would write to {}", parameter_cache_dir().display())));
    }
    print_step("generating the parameters (2KiB: about 8 minutes on 2 cores, 5 GB of memory)");
    with_tree!(size, generate(&size.proof().as_v1_config()))
        .map_err(|error| Failure::library("generating the parameters", &error))?;
    print_step("publishing");
    lock.publish(&workspace, &[files.vk, files.params])
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage_proofs_core::parameter_cache::get_parameter_data_from_id;

    #[test]
    fn the_library_lists_the_published_files() {
        for size in [Size::GiB32, Size::GiB64] {
            let files = Files::of(size).unwrap();
            for name in [files.params, files.vk] {
                assert_eq!(get_parameter_data_from_id(&name).expect(&name).sector_size, size.bytes());
            }
        }
    }
}
