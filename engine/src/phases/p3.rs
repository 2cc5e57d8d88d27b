//! P3: the vanilla proofs of the challenges that the seed determines.

use super::outputs::{P2Outputs, P3Outputs, PhaseResult};
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{io_cause, Failure, IoContext, Outcome};
use crate::input::Input;
use crate::job::Job;
use crate::phase::Phase;
use crate::progress;
use crate::sizes::{COMMIT_PHASE1, REPLICA};
use filecoin_proofs_api::seal::{seal_commit_phase1, SealPreCommitPhase2Output};
use std::io;
use std::path::Path;

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    let input = Input::<P2Outputs>::read(job, Phase::P2)?;
    // Verified first, as the library panics if the roots in p_aux do not match the trees.
    for name in ["p_aux", "t_aux"] {
        input.read_file(input.find_record(&input.outputs.files, name)?)?;
    }
    let pre_commit = SealPreCommitPhase2Output {
        registered_proof: job.size.proof(),
        comm_r: input.outputs.comm_r.0,
        comm_d: input.outputs.comm_d.0,
    };
    progress::begin_step("proving", 0.0, 0.9);
    let (prover, sector) = (job.sector.prover_id(), job.sector.id());
    // Also verifies the proofs.
    let out = seal_commit_phase1(
        &input.dir,
        &input.dir.join(REPLICA),
        prover,
        sector,
        job.ticket.0,
        job.seed(),
        pre_commit,
        &[],
    )
    .map_err(|error| match io_cause(&error) {
        Some(cause) if !is_file_damage(cause) => Failure::library("P3", &error),
        _ => Failure::step_back(Phase::P2, format!("no proof from {}: {error:#}", input.dir.display())),
    })?;
    progress::begin_step("recording", 0.9, 1.0);
    let json = serde_json::to_vec(&out).map_err(io::Error::from).context("encoding the proofs")?;
    durable::write(Path::new(COMMIT_PHASE1), &json)?;
    Ok(PhaseResult::new(P3Outputs { files: vec![FileRecord::of_bytes(COMMIT_PHASE1, &json)] }))
}

/// Whether the error means that a file of P2 is missing or too short. Other errors, such as a lost mount, may pass.
fn is_file_damage(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}
