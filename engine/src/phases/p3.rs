//! P3: the vanilla proofs of the challenges that the seed determines.

use super::outputs::{P2Outputs, P3Outputs, PhaseResult};
use super::vanilla_proofs;
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::input::Input;
use crate::job::Job;
use crate::phase::Phase;
use crate::phase_files::CommitPhase1;
use crate::progress;
use crate::sizes::{with_tree, COMMIT_PHASE1};
use filecoin_proofs::{MerkleTreeTrait, SealPreCommitOutput};
use std::io;
use std::path::Path;

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    let input = Input::<P2Outputs>::read(job, Phase::P2)?;
    input.require_files(&job.size.proving_files())?;
    // Verified first, as the library panics if the roots in p_aux do not match the trees.
    for name in ["p_aux", "t_aux"] {
        input.read_file(input.find_record(&input.outputs.files, name)?)?;
    }
    let json = with_tree!(job.size, prove(job, &input))?;
    durable::write(Path::new(COMMIT_PHASE1), &json)?;
    Ok(PhaseResult::new(P3Outputs { files: vec![FileRecord::of_bytes(COMMIT_PHASE1, &json)] }))
}

/// Computes the proofs. Returns commit-phase1.json.
fn prove<Tree: 'static + MerkleTreeTrait>(job: &Job, input: &Input<P2Outputs>) -> Outcome<Vec<u8>> {
    let pre_commit = SealPreCommitOutput { comm_r: input.outputs.comm_r.0, comm_d: input.outputs.comm_d.0 };
    progress::begin_step("proving", 0.0, 0.9);
    let proofs = vanilla_proofs::compute::<Tree>(job, &input.dir, &pre_commit, job.seed())?
        .map_err(|damage| Failure::step_back(Phase::P2, damage))?;
    progress::begin_step("recording", 0.9, 1.0);
    serde_json::to_vec(&CommitPhase1::new(job.size, proofs)).map_err(io::Error::from).context("encoding the proofs")
}
