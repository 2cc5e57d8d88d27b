//! The vanilla proofs of a seed's challenges. P3 computes them, and P2 those of a random seed.

use crate::damage::Damage;
use crate::diagnosis;
use crate::failure::Outcome;
use crate::job::Job;
use crate::sizes::REPLICA;
use filecoin_proofs_api::seal::{seal_commit_phase1, SealCommitPhase1Output, SealPreCommitPhase2Output};
use std::path::Path;

/// Computes and verifies the proofs from the files of P2 in `dir`. The inner error says what is wrong with them.
pub fn compute(
    job: &Job,
    dir: &Path,
    pre_commit: &SealPreCommitPhase2Output,
    seed: [u8; 32],
) -> Outcome<Result<SealCommitPhase1Output, Damage>> {
    let (prover, sector, replica) = (job.sector.prover_id(), job.sector.id(), dir.join(REPLICA));
    diagnosis::confirm(|| {
        // Also verifies the proofs.
        match seal_commit_phase1(dir, replica.as_path(), prover, sector, job.ticket.0, seed, pre_commit.clone(), &[]) {
            Ok(proofs) => Ok(Ok(proofs)),
            Err(error) => {
                let files = job.size.proving_files().into_iter().map(|name| dir.join(name));
                diagnosis::of_library(format_args!("no proof from {}", dir.display()), &error, files).map(Err)
            }
        }
    })
}
