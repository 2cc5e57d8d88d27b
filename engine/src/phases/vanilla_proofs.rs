//! The vanilla proofs of a seed's challenges. P3 computes them, and P2 those of a random seed.

use crate::damage::Damage;
use crate::diagnosis;
use crate::failure::Outcome;
use crate::job::Job;
use crate::sizes::REPLICA;
use filecoin_proofs::{
    seal_commit_phase1, validate_cache_for_commit, MerkleTreeTrait, SealCommitPhase1Output, SealPreCommitOutput,
};
use std::path::Path;

/// Computes and verifies the proofs from the files of P2 in `dir`. The inner error says what is wrong with them.
pub fn compute<Tree: 'static + MerkleTreeTrait>(
    job: &Job,
    dir: &Path,
    pre_commit: &SealPreCommitOutput,
    seed: [u8; 32],
) -> Outcome<Result<SealCommitPhase1Output<Tree>, Damage>> {
    let (prover, sector, ticket) = (job.sector.prover_id(), job.sector.id(), job.ticket.0);
    let (porep, replica) = (job.size.porep(), &dir.join(REPLICA));
    let prove = || {
        validate_cache_for_commit::<_, _, Tree>(dir, replica)?;
        // Also verifies the proofs.
        seal_commit_phase1(&porep, dir, replica, prover, sector, ticket, seed, pre_commit.clone(), &[])
    };
    diagnosis::confirm(|| match prove() {
        Ok(proofs) => Ok(Ok(proofs)),
        Err(error) => {
            let files = job.size.proving_files().into_iter().map(|name| dir.join(name));
            diagnosis::of_library(format_args!("no proof from {}", dir.display()), &error, files).map(Err)
        }
    })
}
