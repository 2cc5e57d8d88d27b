//! P2: the replica, its trees and commR.

use super::outputs::{P1Outputs, P2Outputs, PhaseResult};
use super::vanilla_proofs;
use crate::damage::Damage;
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::hex32::Hex32;
use crate::input::{self, Input};
use crate::job::Job;
use crate::phase::Phase;
use crate::phase_files::PreCommitPhase1;
use crate::progress::{self, Step};
use crate::sizes::{with_tree, PHASE1, REPLICA};
use filecoin_proofs::{
    seal_pre_commit_phase2, validate_cache_for_precommit_phase2, MerkleTreeTrait, SealPreCommitOutput,
};
use rand::{rngs::OsRng, RngCore};
use rustix::fs::{fallocate, FallocateFlags};
use rustix::io::Errno;
use std::fs::{self, File};
use std::path::Path;

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    let input = Input::<P1Outputs>::read(job, Phase::P1)?;
    let phase1 = input.read_file(input.find_record(&input.outputs.files, PHASE1)?)?;
    let out = with_tree!(job.size, seal(job, &input, &phase1))?;
    run_trial_p3(job, &out)?;
    let files = finish_files(job)?;
    check_replica(&input, &files, job)?;
    Ok(PhaseResult::new(P2Outputs { comm_r: Hex32(out.comm_r), comm_d: Hex32(out.comm_d), files }))
}

/// Computes the replica and its trees.
fn seal<Tree: 'static + MerkleTreeTrait>(
    job: &Job,
    input: &Input<P1Outputs>,
    phase1: &[u8],
) -> Outcome<SealPreCommitOutput> {
    let phase1: PreCommitPhase1<Tree> = input::parse_json(Phase::P1, Path::new(PHASE1), phase1)?;
    let phase1 = phase1.into_output(job.size).map_err(|damage| Failure::step_back(Phase::P1, damage))?;
    link_labels(job, input)?;

    progress::set_log_parser(parse_step);
    create_replica(job.size.bytes())?;
    validate_cache_for_precommit_phase2(".", REPLICA, &phase1)
        .and_then(|()| seal_pre_commit_phase2::<_, _, Tree>(&job.size.porep(), phase1, ".", REPLICA))
        .map_err(|error| Failure::library("P2", &error))
}

/// Links tree-d and the layers into the working directory and verifies them. A layer with a flipped bit would lead to
/// another commR, and nothing downstream would notice.
fn link_labels(job: &Job, input: &Input<P1Outputs>) -> Outcome<()> {
    progress::begin_step("checking the layers", 0.0, 0.1);
    let names = job.size.label_files();
    let records =
        names.iter().map(|name| input.find_record(&input.outputs.files, name)).collect::<Outcome<Vec<_>>>()?;
    let total: u64 = records.iter().map(|file| file.size).sum();
    let mut bytes_read = 0;
    for file in records {
        input.link_file(file, |n| {
            bytes_read += n;
            progress::set_step_fraction(bytes_read as f64 / total as f64);
        })?;
    }
    durable::sync_dir(Path::new("."))
}

/// Creates a replica of zeros and reserves its space if the file system can: the library writes through a memory map,
/// where a full disk would be a signal instead of an error.
fn create_replica(bytes: u64) -> Outcome<()> {
    let replica = File::create_new(REPLICA).context("creating the replica")?;
    replica.set_len(bytes).context("creating the replica")?;
    match fallocate(&replica, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        result => result.context("reserving space for the replica"),
    }
}

/// Computes a P3 with a random seed, to find out now whether the sector can be proved.
fn run_trial_p3(job: &Job, out: &SealPreCommitOutput) -> Outcome<()> {
    fn try_proving<Tree: 'static + MerkleTreeTrait>(
        job: &Job,
        out: &SealPreCommitOutput,
        seed: [u8; 32],
    ) -> Outcome<Result<(), Damage>> {
        Ok(vanilla_proofs::compute::<Tree>(job, Path::new("."), out, seed)?.map(drop))
    }
    progress::begin_step("trial P3", 0.85, 0.9);
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    with_tree!(job.size, try_proving(job, out, seed))?
        .map_err(|damage| Failure::step_back(Phase::P1, damage.context("the trial P3 failed")))
}

/// Makes all files durable (tree-c too, which P3 reads) and hashes the retained ones.
fn finish_files(job: &Job) -> Outcome<Vec<FileRecord>> {
    progress::begin_step("recording", 0.9, 1.0);
    for entry in fs::read_dir(".").context("listing the attempt")? {
        let entry = entry.context("listing the attempt")?;
        if entry.file_type().context("listing the attempt")?.is_file() {
            durable::sync_file(&entry.path())?;
        }
    }
    durable::sync_dir(Path::new("."))?;
    let mut bytes_read = 0;
    let record = |name: String| {
        let on_read = |n| {
            bytes_read += n;
            // The replica is nearly all of the bytes.
            progress::set_step_fraction(bytes_read as f64 / job.size.bytes() as f64);
        };
        FileRecord::of_file(&name, Path::new(&name), on_read).context(format_args!("hashing {name}"))
    };
    job.size.retained_files().into_iter().map(record).collect()
}

/// The replica is the sum of data and last layer. The data of committed capacity is zeros, so the replica must equal
/// the last layer.
fn check_replica(input: &Input<P1Outputs>, files: &[FileRecord], job: &Job) -> Outcome<()> {
    let labels = job.size.label_files();
    let last = input.find_record(&input.outputs.files, &labels[labels.len() - 1])?;
    let replica = files.iter().find(|file| file.name == REPLICA).expect("it was just recorded");
    if replica.blake3 != last.blake3 {
        return Err(Failure::PassingFault(format!(
            "the replica is wrong: its BLAKE3 is {}, that of {} is {}",
            replica.blake3, last.name, last.blake3
        )));
    }
    Ok(())
}

/// Parses log lines of storage-proofs-porep `proof.rs`: "building base tree_c 3/8", "building base tree_r_last with CPU
/// 3/8" and their GPU variants. The fractions were measured in CPU runs (8 MiB, 512 MiB).
fn parse_step(line: &str) -> Option<Step> {
    let step = |name: &str, from, to| Some(Step { name: name.to_owned(), from, to });
    let subtree_step = |name: &str, from: f64, to: f64| {
        let (number, count) = line.rsplit(' ').next()?.split_once('/')?;
        let (number, count): (u32, u32) = (number.parse().ok()?, count.parse().ok()?);
        let at = |n: u32| from + (to - from) * f64::from(n) / f64::from(count.max(1));
        Some(Step { name: format!("{name} {number} of {count}"), from: at(number.saturating_sub(1)), to: at(number) })
    };
    match line {
        "replicate_phase2" => step("tree-c", 0.1, 0.6),
        "tree_c done" => step("tree-r-last", 0.6, 0.85),
        line if line.starts_with("building base tree_c ") => subtree_step("tree-c", 0.1, 0.6),
        line if line.starts_with("building base tree_r_last ") => subtree_step("tree-r-last", 0.6, 0.85),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_become_steps() {
        let step = parse_step("building base tree_c 2/8").unwrap();
        assert_eq!(step.name, "tree-c 2 of 8");
        assert!((step.to - 0.225).abs() < 1e-9);
        assert_eq!(parse_step("building base tree_r_last with CPU 8/8").unwrap().to, 0.85);
        assert_eq!(parse_step("tree_c done").unwrap().name, "tree-r-last");
        assert_eq!(parse_step("Building column hashes"), None);
        assert_eq!(parse_step("building base tree_c x"), None);
    }
}
