//! P2: the replica, its trees, commR.

use super::outputs::{Done, P1Outputs, P2Outputs};
use crate::digest::FileRecord;
use crate::durable;
use crate::failure::{Failure, IoContext, Outcome};
use crate::hex32::Hex32;
use crate::input::Input;
use crate::job::Job;
use crate::phase::Phase;
use crate::progress::{self, Step};
use crate::sizes::{PHASE1, REPLICA};
use filecoin_proofs_api::seal::{
    seal_commit_phase1, seal_pre_commit_phase2, SealPreCommitPhase1Output, SealPreCommitPhase2Output,
};
use rand::{rngs::OsRng, RngCore};
use rustix::fs::{fallocate, FallocateFlags};
use rustix::io::Errno;
use std::fs::{self, File};
use std::path::Path;

pub fn run(job: &Job) -> Outcome<Done> {
    let input = Input::<P1Outputs>::read(job, Phase::P1)?;
    let phase1 = input.read_file(input.record(&input.outputs.files, PHASE1)?)?;
    let phase1: SealPreCommitPhase1Output =
        serde_json::from_slice(&phase1).map_err(|error| Failure::step_back(Phase::P1, format!("{PHASE1}: {error}")))?;
    link_labels(job, &input)?;

    progress::listen(step_of);
    make_replica(job.size.bytes())?;
    let out = seal_pre_commit_phase2(phase1, ".", REPLICA).map_err(|error| Failure::library("P2", &error))?;
    try_p3(job, &out)?;
    let files = finish_files(job)?;
    check_replica(&input, &files, job)?;
    Ok(Done::of(P2Outputs { comm_r: Hex32(out.comm_r), comm_d: Hex32(out.comm_d), files }))
}

/// A layer with a flipped bit gives another commR, and nothing downstream ever notices: so each is read and compared.
fn link_labels(job: &Job, input: &Input<P1Outputs>) -> Outcome<()> {
    progress::step("checking the layers", 0.0, 0.1);
    let names = job.size.labels();
    let records = names.iter().map(|name| input.record(&input.outputs.files, name)).collect::<Outcome<Vec<_>>>()?;
    let total: u64 = records.iter().map(|file| file.size).sum();
    let mut done = 0;
    for file in records {
        input.link(file, |n| {
            done += n;
            progress::within(done as f64 / total as f64);
        })?;
    }
    durable::sync_dir(Path::new("."))
}

/// A file of zeros. Its space is reserved where the file system can: the library writes through a memory map, where a full
/// disk would be a signal instead of an error.
fn make_replica(bytes: u64) -> Outcome<()> {
    let replica = File::create_new(REPLICA).context("making the replica")?;
    replica.set_len(bytes).context("making the replica")?;
    match fallocate(&replica, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        reserved => reserved.context("reserving the replica"),
    }
}

/// The library proves and checks here what it will have to prove once the chain asks.
fn try_p3(job: &Job, out: &SealPreCommitPhase2Output) -> Outcome<()> {
    progress::step("trial P3", 0.85, 0.9);
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    let (prover, sector) = (job.sector.prover_id(), job.sector.id());
    seal_commit_phase1(".", REPLICA, prover, sector, job.ticket.0, seed, out.clone(), &[])
        .map(drop)
        .map_err(|error| Failure::step_back(Phase::P1, format!("the trial P3 failed: {error:#}")))
}

/// Makes everything durable (tree-c too, which P3 reads) and hashes what is kept.
fn finish_files(job: &Job) -> Outcome<Vec<FileRecord>> {
    progress::step("recording", 0.9, 1.0);
    for entry in fs::read_dir(".").context("listing the attempt")? {
        let entry = entry.context("listing the attempt")?;
        if entry.file_type().context("listing the attempt")?.is_file() {
            durable::sync_file(&entry.path())?;
        }
    }
    durable::sync_dir(Path::new("."))?;
    let mut done = 0;
    let record = |name: String| {
        let on_read = |n| {
            done += n;
            // The replica is nearly all of it.
            progress::within(done as f64 / job.size.bytes() as f64);
        };
        FileRecord::of_file(&name, Path::new(&name), on_read).context(format_args!("hashing {name}"))
    };
    job.size.kept().into_iter().map(record).collect()
}

/// The replica is data + last layer, and the data of committed capacity is zeros: so it is the last layer, byte for byte.
fn check_replica(input: &Input<P1Outputs>, files: &[FileRecord], job: &Job) -> Outcome<()> {
    let labels = job.size.labels();
    let last = input.record(&input.outputs.files, &labels[labels.len() - 1])?;
    let replica = files.iter().find(|file| file.name == REPLICA).expect("it was just recorded");
    if replica.blake3 != last.blake3 {
        return Err(Failure::PassingFault(format!(
            "the replica came out wrong: its BLAKE3 is {}, {} has {}",
            replica.blake3, last.name, last.blake3
        )));
    }
    Ok(())
}

/// Lines of storage-proofs-porep `proof.rs`: "building base tree_c 3/8", "building base tree_r_last with CPU 3/8" and their GPU
/// cousins. The shares are those of CPU runs (8 MiB, 512 MiB).
fn step_of(line: &str) -> Option<Step> {
    let step = |name: &str, from, to| Some(Step { name: name.to_owned(), from, to });
    let part = |name: &str, from: f64, to: f64| {
        let (done, of) = line.rsplit(' ').next()?.split_once('/')?;
        let (done, of): (u32, u32) = (done.parse().ok()?, of.parse().ok()?);
        let at = |n: u32| from + (to - from) * f64::from(n) / f64::from(of.max(1));
        Some(Step { name: format!("{name} {done} of {of}"), from: at(done.saturating_sub(1)), to: at(done) })
    };
    match line {
        "replicate_phase2" => step("tree-c", 0.1, 0.6),
        "tree_c done" => step("tree-r-last", 0.6, 0.85),
        line if line.starts_with("building base tree_c ") => part("tree-c", 0.1, 0.6),
        line if line.starts_with("building base tree_r_last ") => part("tree-r-last", 0.6, 0.85),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let step = step_of("building base tree_c 2/8").unwrap();
        assert_eq!(step.name, "tree-c 2 of 8");
        assert!((step.to - 0.225).abs() < 1e-9);
        assert_eq!(step_of("building base tree_r_last with CPU 8/8").unwrap().to, 0.85);
        assert_eq!(step_of("tree_c done").unwrap().name, "tree-r-last");
        assert_eq!(step_of("Building column hashes"), None);
        assert_eq!(step_of("building base tree_c x"), None);
    }
}
