//! P1: tree-d and the layers of an empty sector (committed capacity).

use super::outputs::{P1Outputs, PhaseResult};
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::hex32::Hex32;
use crate::job::Job;
use crate::labels;
use crate::parents;
use crate::phase_files::PreCommitPhase1;
use crate::progress::{self, Step};
use crate::recorder::{self, Recorder};
use crate::reuse::reuse_layers;
use crate::sizes::{with_tree, PHASE1, REPLICA};
use filecoin_proofs::{seal_pre_commit_phase1, MerkleTreeTrait};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of layers of this sector, for [`parse_step`].
static LAYERS: AtomicUsize = AtomicUsize::new(0);

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    progress::begin_step("looking for finished layers", 0.0, 0.0);
    let reused = reuse_layers(job)?;
    let producers = labels::choose_way(job);
    log::info!("labels on {} cores", producers + 1);
    let cache = parents::ensure(job.size)?;

    LAYERS.store(job.size.layers(), Ordering::Relaxed);
    progress::begin_step("tree-d", 0.0, 0.0);
    progress::set_log_parser(parse_step);
    progress::set_gauge(move || parents::fraction_read(&cache));
    let recorder = Recorder::start(job.size.label_files(), reused)?;
    // The library already sets the size of the replica here. P2 computes its content, in another file.
    File::create_new(REPLICA).context("creating the replica")?;
    let (comm_d, json) = with_tree!(job.size, seal(job))?;
    progress::begin_step("recording", 1.0, 1.0);
    let mut files = recorder.finish();
    fs::remove_file(REPLICA).context("removing the empty replica")?;

    durable::write(Path::new(PHASE1), &json)?;
    files.push(FileRecord::of_bytes(PHASE1, &json));
    let mut result = PhaseResult::new(P1Outputs { comm_d, files });
    result.facts.insert("labelCores".to_owned(), (producers + 1).into());
    Ok(result)
}

/// Computes the layers. Returns commD and phase1.json.
fn seal<Tree: 'static + MerkleTreeTrait>(job: &Job) -> Outcome<(Hex32, Vec<u8>)> {
    let (prover, sector) = (job.sector.prover_id(), job.sector.id());
    let (data, ticket) = ("/dev/zero", job.ticket.0);
    let out =
        seal_pre_commit_phase1::<_, _, _, Tree>(&job.size.porep(), ".", data, REPLICA, prover, sector, ticket, &[])
            .map_err(|error| Failure::library("P1", &error))?;
    let comm_d = Hex32(out.comm_d);
    let json = serde_json::to_vec(&PreCommitPhase1::new(job.size, out));
    Ok((comm_d, json.map_err(io::Error::from).context("encoding phase1.json")?))
}

/// Parses log lines of storage-proofs-porep `create_label/single.rs` ("generating layer: 3") and `multi.rs` ("Layer 3").
fn parse_step(line: &str) -> Option<Step> {
    if line == "replicate_phase1" {
        recorder::mark_labels_begun();
        return None;
    }
    let number = line.strip_prefix("generating layer: ").or_else(|| line.strip_prefix("Layer "))?;
    let (layer, layers) = (number.parse::<usize>().ok()?, LAYERS.load(Ordering::Relaxed));
    let share = |n: usize| n as f64 / layers as f64;
    Some(Step { name: format!("layer {layer} of {layers}"), from: share(layer.checked_sub(1)?), to: share(layer) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_become_steps() {
        LAYERS.store(11, Ordering::Relaxed);
        let step = parse_step("generating layer: 3").unwrap();
        assert_eq!(step.name, "layer 3 of 11");
        assert!((step.from - 2.0 / 11.0).abs() < 1e-9 && (step.to - 3.0 / 11.0).abs() < 1e-9);
        assert_eq!(parse_step("Layer 11").unwrap().to, 1.0);
        assert_eq!(parse_step("skipping layer 1, already generated"), None);
        assert_eq!(parse_step("Layer x"), None);
    }
}
