//! Groth16 proof parameters. For test sizes the engine generates them. Those of 32GiB and 64GiB are published, as they
//! come from the trusted setup; the engine only checks them.

mod circuit;
mod domain;
mod fixed_base;
mod generator;
mod published;

use self::generator::Secrets;
use self::published::{check_digest, check_digest_once, PublishedFile};
use crate::environment;
use crate::failure::{Failure, IoContext, Outcome};
use crate::publish_lock::PublishLock;
use crate::sizes::Size;
use filecoin_proofs::constants::{DefaultPieceHasher, SectorShapeBase};
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::PoRepConfig;
use rand::rngs::OsRng;
use serde_json::{json, Value};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_core::parameter_cache::{parameter_id, verifying_key_id};
use storage_proofs_porep::stacked::{StackedCircuit, StackedCompound, StackedDrg};

/// Names of the parameter files of one size.
struct Files {
    params: String,
    vk: String,
}

impl Files {
    fn of(size: Size) -> Outcome<Files> {
        let id = size.circuit_identifier().map_err(|error| Failure::library("naming the parameters", &error))?;
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
                format!("`sealflow setup --parameters {}` fetches it", size.name())
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

/// `sealflow-engine params <size> --list`: prints which published files a production size needs, and what is known of
/// those that exist. Nothing is hashed. Other sizes have none: `BadInput`.
pub fn list(size: Size) -> Outcome<()> {
    if !size.is_production() {
        return Err(Failure::BadInput(format!(
            "the parameters of {0} are not published ones: `sealflow-engine params {0}` generates them",
            size.name()
        )));
    }
    let dir = environment::parameter_dir();
    let Files { params, vk } = Files::of(size)?;
    // In the order in which they are published: `.params` last, so that a set with it is complete.
    let files = [vk, params].into_iter().map(|name| PublishedFile::find(name, &dir)).collect::<Outcome<Vec<_>>>()?;
    print_line(&json!({ "v": 1, "size": size.name(), "dir": dir, "files": files }));
    Ok(())
}

fn print_step(step: &str) {
    print_line(&json!({ "step": step, "done": false }));
}

/// Ignores a closed stdout, which should not abort minutes of work.
fn print_line(line: &Value) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Generates the parameters in a workspace and publishes them. The library reads them as it reads its own.
fn generate_in(lock: &PublishLock, size: Size) -> Outcome<()> {
    let files = Files::of(size)?;
    let workspace = lock.create_workspace()?;
    let create = |name: &str| {
        let path = workspace.join(name);
        File::create(&path).map(BufWriter::new).context(format_args!("creating {}", path.display()))
    };
    print_step("generating the parameters: the circuit");
    let out = &mut create(&files.params)?;
    // The shape of all test sizes. The circuits of the others, which are never generated, would only lengthen the build.
    assert!(!size.is_production(), "the parameters of {} are published", size.name());
    let progress = PercentLine::default();
    let vk = blank_circuit(&size.porep())
        .and_then(|circuit| {
            generator::generate(circuit, &Secrets::random(&mut OsRng), out, &|fraction| progress.show(fraction))
        })
        .map_err(|error| Failure::library("generating the parameters", &error))?;
    out.flush().context(format_args!("writing {}", files.params))?;
    let mut out = create(&files.vk)?;
    vk.write(&mut out).and_then(|()| out.flush()).context(format_args!("writing {}", files.vk))?;
    print_step("publishing");
    lock.publish(&workspace, &[files.vk, files.params])
}

type Circuit = StackedCircuit<SectorShapeBase, DefaultPieceHasher>;

/// The circuit of a test size, without the values of any sector.
fn blank_circuit(config: &PoRepConfig) -> anyhow::Result<Circuit> {
    type Porep = StackedDrg<'static, SectorShapeBase, DefaultPieceHasher>;
    type Compound = StackedCompound<SectorShapeBase, DefaultPieceHasher>;
    let public = public_params::<SectorShapeBase>(config)?;
    Ok(<Compound as CompoundProof<Porep, _>>::blank_circuit(&public))
}

/// Prints a line for each percent.
#[derive(Default)]
struct PercentLine {
    shown: AtomicUsize,
}

impl PercentLine {
    fn show(&self, fraction: f64) {
        let percent = (fraction * 100.0) as usize;
        if self.shown.fetch_max(percent, Ordering::Relaxed) < percent {
            print_line(&json!({ "step": "generating the parameters", "fraction": fraction, "done": false }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::cpu_seconds;
    use blstrs::Bls12;
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

    /// What docs/benchmarks.md states: `cargo test --release -- --ignored --nocapture beside_bellperson`.
    #[test]
    #[ignore = "a measurement of a quarter of an hour on two cores"]
    fn parameters_of_2kib_beside_bellperson() {
        let config = Size::KiB2.porep();
        let began = cpu_seconds();
        let secrets = Secrets::random(&mut OsRng);
        generator::generate(blank_circuit(&config).unwrap(), &secrets, &mut io::sink(), &|_| ()).unwrap();
        let own = cpu_seconds() - began;
        println!("own generator: {own:.1} core s");
        let circuit = blank_circuit(&config).unwrap();
        bellperson::groth16::generate_random_parameters::<Bls12, _, _>(circuit, &mut OsRng).unwrap();
        let theirs = cpu_seconds() - began - own;
        println!("bellperson: {theirs:.1} core s, {:.1} times as many", theirs / own);
    }
}
