//! The phases. Each reads its job and the results that it depends on, and returns what goes into result.json.

mod outputs;
mod p1;
mod p2;
mod p3;
mod p4;
mod p5;

use crate::failure::Outcome;
use crate::job::Job;
use crate::phase::Phase;
use outputs::Done;

/// Computes the job's phase in the working directory.
pub fn run(job: &Job) -> Outcome<Done> {
    match job.phase {
        Phase::P1 => p1::run(job),
        Phase::P2 => p2::run(job),
        Phase::P3 => p3::run(job),
        Phase::P4 => p4::run(job),
        Phase::P5 => p5::run(job),
    }
}
