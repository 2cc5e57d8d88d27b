//! Generates the parameters of a test size and publishes them, with a note of their digests.

use super::digest::digest_in_hex;
use super::generator::{self, Secrets};
use super::lines::{print_line, print_step};
use super::names::Files;
use super::note::{Note, State};
use crate::failure::{Failure, IoContext, Outcome};
use crate::publish_lock::PublishLock;
use crate::sizes::Size;
use filecoin_proofs::constants::{DefaultPieceHasher, SectorShapeBase};
use filecoin_proofs::parameters::public_params;
use filecoin_proofs::PoRepConfig;
use rand::rngs::OsRng;
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_porep::stacked::{StackedCircuit, StackedCompound, StackedDrg};

/// Generates the parameters in a workspace and publishes them. The library reads them as it reads its own.
pub fn generate_in(lock: &PublishLock, size: Size) -> Outcome<()> {
    let files = Files::of(size)?;
    let workspace = lock.create_workspace()?;
    print_step("generating the parameters: the circuit");
    let mut out = NotedFile::create(&workspace, &files.params)?;
    // The shape of all test sizes. The circuits of the others, which are never generated, would only lengthen the build.
    assert!(!size.is_production(), "the parameters of {} are published", size.name());
    let progress = PercentLine::default();
    let vk = blank_circuit(&size.porep())
        .and_then(|circuit| {
            generator::generate(circuit, &Secrets::random(&mut OsRng), &mut out, &|fraction| progress.show(fraction))
        })
        .map_err(|error| Failure::library("generating the parameters", &error))?;
    let noted_params = out.finish()?;
    let mut out = NotedFile::create(&workspace, &files.vk)?;
    vk.write(&mut out).context(format_args!("writing {}", files.vk))?;
    let noted_vk = out.finish()?;
    print_step("publishing");
    lock.publish(&workspace, &[files.vk, noted_vk, noted_params, files.params])
}

/// A file that is hashed as it is written, so that its digest is that of what was meant, not of what a disk has kept.
struct NotedFile {
    path: PathBuf,
    file: BufWriter<File>,
    hash: blake2b_simd::State,
}

impl NotedFile {
    fn create(workspace: &Path, name: &str) -> Outcome<NotedFile> {
        let path = workspace.join(name);
        let file = File::create(&path).context(format_args!("creating {}", path.display()))?;
        Ok(NotedFile { path, file: BufWriter::new(file), hash: blake2b_simd::State::new() })
    }

    /// Writes the note of the file beside it. Returns the note's name.
    fn finish(mut self) -> Outcome<String> {
        let writing = format!("writing {}", self.path.display());
        self.file.flush().context(&writing)?;
        let state = State::of(&self.file.get_ref().metadata().context(&writing)?);
        Note::right(state, &digest_in_hex(&self.hash)).write(&self.path)?;
        Ok(Note::path(&self.path).file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

impl Write for NotedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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

    #[test]
    fn a_file_is_noted_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = NotedFile::create(dir.path(), "x.params").unwrap();
        file.write_all(b"one ").unwrap();
        file.write_all(b"two").unwrap();
        assert_eq!(file.finish().unwrap(), "x.params.checked");
        let path = dir.path().join("x.params");
        let note = Note::read(&path).unwrap();
        assert!(note.vouches_for(State::of(&path.metadata().unwrap())));
        assert_eq!(note.digest, Some(blake2b_simd::blake2b(b"one two").to_hex()[..32].to_owned()));
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
