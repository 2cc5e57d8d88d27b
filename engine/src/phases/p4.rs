//! P4: the SNARK.

use super::outputs::{Done, P2Outputs, P3Outputs, P4Outputs};
use crate::batches;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::job::Job;
use crate::params;
use crate::phase::Phase;
use crate::progress;
use crate::sizes::COMMIT_PHASE1;
use base64::prelude::{Engine, BASE64_STANDARD};
use filecoin_proofs_api::seal::{seal_commit_phase2_circuit_proofs, verify_seal, SealCommitPhase1Output};
use serde_json::json;

pub fn run(job: &Job) -> Outcome<Done> {
    let at_a_time =
        batches::at_a_time(std::env::var("BELLMAN_PROOF_THREADS").ok().as_deref()).map_err(Failure::BadInput)?;
    let p2 = Input::<P2Outputs>::read(job, Phase::P2)?.outputs;
    let vanilla = read_vanilla(job, &p2)?;
    params::require(job.size)?;

    // Several partitions at once need several times the memory, so they are proved in batches: the proof of a sector is the
    // proofs of its partitions one after the other, and the circuit of a partition does not depend on its number
    // (`StackedCompound::circuit` ignores it). The library keeps the parameters in memory from one batch to the next. Sizes
    // below 32GiB have one partition: a proof of several was never run here, its result is verified below like any other.
    let SealCommitPhase1Output { registered_proof, vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket } = vanilla;
    let batches = batches::split(vanilla_proofs, at_a_time);
    let count = batches.len();
    let mut proof = Vec::new();
    for (i, vanilla_proofs) in batches.into_iter().enumerate() {
        let share = |n: usize| 0.99 * n as f64 / count as f64;
        progress::step(format!("batch {} of {count}", i + 1), share(i), share(i + 1));
        let batch =
            SealCommitPhase1Output { registered_proof, vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket };
        let part = seal_commit_phase2_circuit_proofs(batch, job.sector.id())
            .map_err(|error| Failure::library("P4", &error))?;
        proof.extend(part.proof);
    }

    progress::step("verifying", 0.99, 1.0);
    let (prover, sector) = (job.sector.prover_id(), job.sector.id());
    match verify_seal(job.size.proof(), p2.comm_r.0, p2.comm_d.0, prover, sector, job.ticket.0, job.seed(), &proof) {
        Ok(true) => {}
        Ok(false) => return Err(Failure::step_back(Phase::P3, "the proof does not verify")),
        Err(error) => return Err(Failure::step_back(Phase::P3, format!("the proof does not verify: {error:#}"))),
    }
    let mut done = Done::of(P4Outputs { proof: BASE64_STANDARD.encode(&proof) });
    done.facts.insert("batches".to_owned(), json!(count));
    Ok(done)
}

/// P3's file, which must be the one that its result names, of this sector's commR, ticket and seed.
fn read_vanilla(job: &Job, p2: &P2Outputs) -> Outcome<SealCommitPhase1Output> {
    let p3 = Input::<P3Outputs>::read(job, Phase::P3)?;
    let bytes = p3.read_file(p3.record(&p3.outputs.files, COMMIT_PHASE1)?)?;
    let vanilla: SealCommitPhase1Output = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::step_back(Phase::P3, format!("{COMMIT_PHASE1}: {error}")))?;
    let of_this_sector = vanilla.registered_proof == job.size.proof()
        && vanilla.comm_r == p2.comm_r.0
        && vanilla.comm_d == p2.comm_d.0
        && vanilla.ticket == job.ticket.0
        && vanilla.seed == job.seed();
    if !of_this_sector {
        return Err(Failure::step_back(Phase::P3, format!("{COMMIT_PHASE1} is of another commR, ticket or seed")));
    }
    Ok(vanilla)
}
