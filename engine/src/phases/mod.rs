//! The phases. Each one reads the results that its job names as inputs and returns what goes into result.json.

mod outputs;
mod p1;
mod p2;
mod p3;
mod p4;
mod p5;
mod vanilla_proofs;

use crate::failure::Outcome;
use crate::job::Job;
use crate::phase::Phase;
use outputs::PhaseResult;

/// Computes the job's phase. The working directory must be the attempt.
pub fn run(job: &Job) -> Outcome<PhaseResult> {
    match job.phase {
        Phase::P1 => p1::run(job),
        Phase::P2 => p2::run(job),
        Phase::P3 => p3::run(job),
        Phase::P4 => p4::run(job),
        Phase::P5 => p5::run(job),
    }
}
