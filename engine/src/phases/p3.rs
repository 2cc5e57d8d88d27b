//! P3: vanilla proofs of what the seed asks for.

use super::outputs::{Done, P2Outputs, P3Outputs};
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

pub fn run(job: &Job) -> Outcome<Done> {
    let input = Input::<P2Outputs>::read(job, Phase::P2)?;
    // The library panics over roots in p_aux that do not fit the trees.
    for name in ["p_aux", "t_aux"] {
        input.read_file(input.record(&input.outputs.files, name)?)?;
    }
    let pre_commit = SealPreCommitPhase2Output {
        registered_proof: job.size.proof(),
        comm_r: input.outputs.comm_r.0,
        comm_d: input.outputs.comm_d.0,
    };
    progress::step("proving", 0.0, 0.9);
    let (prover, sector) = (job.sector.prover_id(), job.sector.id());
    // Proves and verifies.
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
        Some(cause) if !is_of_the_files(cause) => Failure::library("P3", &error),
        _ => Failure::step_back(Phase::P2, format!("no proof from {}: {error:#}", input.dir.display())),
    })?;
    progress::step("recording", 0.9, 1.0);
    let json = serde_json::to_vec(&out).map_err(io::Error::from).context("encoding the proofs")?;
    durable::write(Path::new(COMMIT_PHASE1), &json)?;
    Ok(Done::of(P3Outputs { files: vec![FileRecord::of_bytes(COMMIT_PHASE1, &json)] }))
}

/// A file of P2 is gone or too short; anything else (a mount that is away) may pass.
fn is_of_the_files(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}
