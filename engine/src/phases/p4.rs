//! P4: the SNARK.

use super::outputs::{P2Outputs, P3Outputs, P4Outputs, PhaseResult};
use crate::batches;
use crate::claim::Claim;
use crate::damage::Damage;
use crate::exit;
use crate::failure::{Failure, Outcome};
use crate::hex32::Hex32;
use crate::input::{self, Input};
use crate::job::Job;
use crate::params;
use crate::phase::Phase;
use crate::phase_files::CommitPhase1;
use crate::progress;
use crate::sizes::{with_tree, COMMIT_PHASE1};
use base64::prelude::{Engine, BASE64_STANDARD};
use filecoin_proofs::{seal_commit_phase2_circuit_proofs, MerkleTreeTrait, SealCommitPhase1Output};
use serde_json::json;
use std::path::Path;

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    let batch_size =
        batches::parse_batch_size(std::env::var("BELLMAN_PROOF_THREADS").ok().as_deref()).map_err(Failure::BadInput)?;
    let p2 = Input::<P2Outputs>::read(job, Phase::P2)?.outputs;
    let (proof, batches) = with_tree!(job.size, prove(job, &p2, batch_size))?;

    progress::begin_step("verifying", 0.99, 1.0);
    let claim = Claim {
        size: job.size,
        sector: &job.sector,
        ticket: job.ticket,
        seed: Hex32(job.seed()),
        comm_d: p2.comm_d,
        comm_r: p2.comm_r,
    };
    let verified = claim.verify(&proof).and_then(|is| is.map_err(|damage| Failure::step_back(Phase::P3, damage)));
    verified.map_err(|failure| params::suspect(job.size, failure))?;
    let mut result = PhaseResult::new(P4Outputs { proof: BASE64_STANDARD.encode(&proof) });
    result.facts.insert("batches".to_owned(), json!(batches));
    Ok(result)
}

/// Proves the partitions in batches. Returns the proof and the number of batches.
///
/// The memory grows with the number of partitions proved at a time. Batches are valid because the proof of a sector is
/// the concatenation of the proofs of its partitions, and the circuit of a partition does not depend on its number
/// (`StackedCompound::circuit` ignores it). The library keeps the parameters in memory between batches. Sizes below 32GiB
/// have one partition, so several batches have never been run here; the proof is verified in any case.
fn prove<Tree: 'static + MerkleTreeTrait>(
    job: &Job,
    p2: &P2Outputs,
    batch_size: Option<usize>,
) -> Outcome<(Vec<u8>, usize)> {
    let SealCommitPhase1Output { vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket } =
        read_vanilla_proofs::<Tree>(job, p2)?;
    params::require(job.size)?;
    // From here on what fails is due to the parameters before it is due to the machine or to P3.
    let size = job.size;
    exit::diagnose_panics(move |panic| params::suspect(size, panic));
    let batches = batches::split(vanilla_proofs, batch_size);
    let count = batches.len();
    let mut proof = Vec::new();
    for (i, vanilla_proofs) in batches.into_iter().enumerate() {
        let fraction = |n: usize| 0.99 * n as f64 / count as f64;
        progress::begin_step(format!("batch {} of {count}", i + 1), fraction(i), fraction(i + 1));
        let batch = SealCommitPhase1Output::<Tree> { vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket };
        let batch_proof = seal_commit_phase2_circuit_proofs(&job.size.porep(), batch, job.sector.id())
            .map_err(|error| params::suspect(size, Failure::library("P4", &error)))?;
        proof.extend(batch_proof.proof);
    }
    Ok((proof, count))
}

/// Reads P3's vanilla proofs. Fails with `StepBack` if they differ from P3's result or are of another size, commR, ticket
/// or seed.
fn read_vanilla_proofs<Tree: 'static + MerkleTreeTrait>(
    job: &Job,
    p2: &P2Outputs,
) -> Outcome<SealCommitPhase1Output<Tree>> {
    let p3 = Input::<P3Outputs>::read(job, Phase::P3)?;
    let bytes = p3.read_file(p3.find_record(&p3.outputs.files, COMMIT_PHASE1)?)?;
    let vanilla: CommitPhase1<Tree> = input::parse_json(Phase::P3, Path::new(COMMIT_PHASE1), &bytes)?;
    let step_back = |damage| Failure::step_back(Phase::P3, damage);
    let vanilla = vanilla.into_output(job.size).map_err(step_back)?;
    let matches_job = vanilla.comm_r == p2.comm_r.0
        && vanilla.comm_d == p2.comm_d.0
        && vanilla.ticket == job.ticket.0
        && vanilla.seed == job.seed();
    if !matches_job {
        return Err(step_back(Damage::found(format!("{COMMIT_PHASE1} is of another commR, ticket or seed"))));
    }
    Ok(vanilla)
}
