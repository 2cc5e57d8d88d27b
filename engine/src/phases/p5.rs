//! P5: copies the retained files to a storage node, reads them back and proves the copy.

use super::outputs::{P2Outputs, P5Outputs, PhaseResult};
use crate::copy::cache_dropper::CacheDropper;
use crate::copy::direct;
use crate::copy::rate_limiter::RateLimiter;
use crate::copy::shared_limiter::SharedLimiter;
use crate::copy::staging::StagingDir;
use crate::digest::FileRecord;
use crate::failure::{Failure, IoContext, Outcome};
use crate::input::Input;
use crate::job::{self, Job};
use crate::phase::Phase;
use crate::progress;
use crate::sizes::REPLICA;
use crate::stream::stream;
use crate::vanilla::{self, StoredSector};
use serde_json::json;
use std::fs::File;
use std::time::Instant;

pub fn run(job: &Job) -> Outcome<PhaseResult> {
    let to = job.copy.as_ref().expect("validated when the job was read");
    // Opened first, so that it is removed whatever fails later.
    let mut staging = StagingDir::open(&to.node, &to.staging)?;
    copy(job, to, &mut staging).inspect_err(|_| staging.remove())
}

fn copy(job: &Job, to: &job::Copy, staging: &mut StagingDir) -> Outcome<PhaseResult> {
    let input = Input::<P2Outputs>::read(job, Phase::P2)?;
    let names = job.size.retained_files();
    let files = names.iter().map(|name| input.find_record(&input.outputs.files, name)).collect::<Outcome<Vec<_>>>()?;
    check_p_aux(&input)?;
    let shared =
        to.shared.as_ref().map(|shared| SharedLimiter::open(shared.limit_bytes_per_sec, &shared.path)).transpose()?;
    let bytes = files.iter().map(|file| file.size).sum::<u64>();
    let mut copy =
        Copy { input: &input, staging, limiter: RateLimiter::new(to.limit_bytes_per_sec, shared), moved: 0, bytes };
    progress::begin_copy(2 * bytes);

    let started = Instant::now();
    copy.write_all(&files)?;
    let written = Instant::now();
    let files = copy.read_back_all(&files)?;
    let read_back = Instant::now();
    let challenges = copy.prove(job)?;

    let mut result = PhaseResult::new(P5Outputs { files });
    result.facts.extend([
        ("node".to_owned(), json!(to.node.file_name().unwrap_or_default().to_string_lossy())),
        ("staging".to_owned(), json!(to.staging)),
        ("bytes".to_owned(), json!(bytes)),
        ("writeSeconds".to_owned(), json!((written - started).as_secs_f64())),
        ("readBackSeconds".to_owned(), json!((read_back - written).as_secs_f64())),
        ("proveSeconds".to_owned(), json!(read_back.elapsed().as_secs_f64())),
        ("challenges".to_owned(), json!(challenges)),
    ]);
    Ok(result)
}

/// Checks that p_aux belongs to commR. If P2 had stored another one, every comparison of bytes would still succeed.
fn check_p_aux(input: &Input<P2Outputs>) -> Outcome<()> {
    let p_aux = input.read_file(input.find_record(&input.outputs.files, "p_aux")?)?;
    vanilla::check_comm_r(&p_aux, input.outputs.comm_r)
        .map_err(|damage| Failure::step_back(Phase::P2, damage.context(input.dir.display())))
}

struct Copy<'a> {
    input: &'a Input<P2Outputs>,
    staging: &'a mut StagingDir,
    /// For both directions, as reading back uses the same network.
    limiter: RateLimiter,
    /// Bytes written and read back so far.
    moved: u64,
    /// Size of all files in bytes.
    bytes: u64,
}

impl Copy<'_> {
    /// Writes all files. It creates all of them first, so that a lack of space on the node is noticed before anything
    /// is copied.
    fn write_all(&mut self, files: &[&FileRecord]) -> Outcome<()> {
        progress::begin_step("copying", 0.0, 0.5);
        let created =
            files.iter().map(|file| self.staging.create(&file.name, file.size)).collect::<Outcome<Vec<_>>>()?;
        for (file, target) in files.iter().zip(created) {
            self.write(file, &target)?;
        }
        self.staging.sync()
    }

    /// Copies a file of P2 in one pass. Fails with `StepBack` if it differs from P2's record.
    fn write(&mut self, file: &FileRecord, target: &File) -> Outcome<()> {
        let copying = format!("copying {}", file.name);
        // The page cache is bypassed here too: what is on the disk counts, and the memory is for P1.
        let source = direct::bypass_cache(self.input.open_file(&file.name)?).context(&copying)?;
        let (moved, bytes) = (&mut self.moved, self.bytes);
        let mut source_dropper = CacheDropper::for_reads(&source);
        let mut target_dropper = CacheDropper::for_writes(target);
        let (size, hash) = stream(&source, &self.limiter, |chunk| {
            direct::write_all_at(target, &mut chunk.buffer, chunk.len, chunk.offset)?;
            let end = chunk.offset + chunk.len as u64;
            source_dropper.advance(end)?;
            target_dropper.advance(end)?;
            advance(moved, bytes, chunk.len);
            Ok(())
        })
        .context(&copying)?;
        // The last write was padded to a whole block.
        target.set_len(size).context(&copying)?;
        target.sync_all().context(&copying)?;
        source_dropper.finish(size).context(&copying)?;
        self.input.compare(file, &FileRecord::new(&file.name, size, hash))
    }

    fn read_back_all(&mut self, files: &[&FileRecord]) -> Outcome<Vec<FileRecord>> {
        progress::begin_step("reading back", 0.5, 0.99);
        files.iter().map(|file| self.read_back(file)).collect()
    }

    fn read_back(&mut self, file: &FileRecord) -> Outcome<FileRecord> {
        let written = self.staging.read(&file.name)?;
        let reading = format!("reading {} back", file.name);
        let (moved, bytes) = (&mut self.moved, self.bytes);
        let mut dropper = CacheDropper::for_reads(&written);
        let (size, hash) = stream(&written, &self.limiter, |chunk| {
            dropper.advance(chunk.offset + chunk.len as u64)?;
            advance(moved, bytes, chunk.len);
            Ok(())
        })
        .context(&reading)?;
        dropper.finish(size).context(&reading)?;
        check_read_back(file, FileRecord::new(&file.name, size, hash))
    }

    /// Proves random leaves from the files on the node. Returns the number of leaves proved.
    fn prove(&self, job: &Job) -> Outcome<usize> {
        progress::begin_step("proving", 0.99, 1.0);
        let copy = self.staging.path();
        let comm_r = self.input.outputs.comm_r;
        let replica = copy.join(REPLICA);
        let stored = StoredSector { sector: &job.sector, size: job.size, comm_r, replica: &replica, cache: &copy };
        // The digests equal P2's, so P2's own files cannot be proved either.
        vanilla::prove_random_leaves(&stored)?.map_err(|damage| {
            Failure::step_back(Phase::P2, damage.context("no proof from the copy, which equals the files of P2"))
        })
    }
}

/// Fails with `CopyDamaged` if what was read back is not what was written.
fn check_read_back(written: &FileRecord, found: FileRecord) -> Outcome<FileRecord> {
    match written.compare(&found, "P5 wrote") {
        Ok(()) => Ok(found),
        Err(damage) => Err(Failure::CopyDamaged(format!("read back: {damage}"))),
    }
}

/// Reports that `len` more bytes have been written or read back. `bytes` is the size of all files, so once `moved`
/// exceeds it the current step is reading back.
fn advance(moved: &mut u64, bytes: u64, len: usize) {
    *moved += len as u64;
    progress::set_bytes(*moved);
    let before_step = if *moved > bytes { bytes } else { 0 };
    progress::set_step_fraction((*moved - before_step) as f64 / bytes as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_reads_back_differently_is_damaged() {
        let written = FileRecord::of_bytes("sealed", b"what was written");
        assert_eq!(check_read_back(&written, written.clone()), Ok(written.clone()));
        let found = FileRecord::of_bytes("sealed", b"what was writtem");
        let failure = check_read_back(&written, found.clone()).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(matches!(&failure, Failure::CopyDamaged(reason) if reason.contains("sealed")));
        assert!(failure.to_string().contains(&written.blake3) && failure.to_string().contains(&found.blake3));
    }
}
