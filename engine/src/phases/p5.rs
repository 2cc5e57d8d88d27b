//! P5: a proved copy of what is kept, on a storage node.

use super::outputs::{Done, P2Outputs, P5Outputs};
use crate::copy::cache_dropper::CacheDropper;
use crate::copy::direct;
use crate::copy::pace::Pace;
use crate::copy::shared::Shared;
use crate::copy::target::Target;
use crate::digest::FileRecord;
use crate::failure::{Failure, IoContext, Outcome};
use crate::input::Input;
use crate::job::{self, Job};
use crate::phase::Phase;
use crate::progress;
use crate::sizes::REPLICA;
use crate::stream::stream;
use crate::vanilla::{self, Stored};
use serde_json::json;
use std::fs::File;
use std::io;
use std::time::Instant;

pub fn run(job: &Job) -> Outcome<Done> {
    let to = job.copy.as_ref().expect("checked when the job was read");
    // First: whatever fails afterwards gives the reservation back.
    let mut target = Target::open(&to.node, &to.into)?;
    copy(job, to, &mut target).inspect_err(|_| target.remove())
}

fn copy(job: &Job, to: &job::Copy, target: &mut Target) -> Outcome<Done> {
    let input = Input::<P2Outputs>::read(job, Phase::P2)?;
    let names = job.size.kept();
    let files = names.iter().map(|name| input.record(&input.outputs.files, name)).collect::<Outcome<Vec<_>>>()?;
    check_p_aux(&input)?;
    let shared = to.shared.as_ref().map(|shared| Shared::open(shared.limit_bytes_per_sec, &shared.path)).transpose()?;
    let bytes = files.iter().map(|file| file.size).sum::<u64>();
    let mut copy = Copy { input: &input, target, pace: Pace::new(to.limit_bytes_per_sec, shared), moved: 0, bytes };
    progress::to_copy(2 * bytes);

    let started = Instant::now();
    copy.write_all(&files)?;
    let written = Instant::now();
    let files = copy.read_back_all(&files)?;
    let read_back = Instant::now();
    let challenges = copy.prove(job)?;

    let mut done = Done::of(P5Outputs { files });
    done.facts.extend([
        ("node".to_owned(), json!(to.node.file_name().unwrap_or_default().to_string_lossy())),
        ("into".to_owned(), json!(to.into)),
        ("bytes".to_owned(), json!(bytes)),
        ("writeSeconds".to_owned(), json!((written - started).as_secs_f64())),
        ("readBackSeconds".to_owned(), json!((read_back - written).as_secs_f64())),
        ("proveSeconds".to_owned(), json!(read_back.elapsed().as_secs_f64())),
        ("challenges".to_owned(), json!(challenges)),
    ]);
    Ok(done)
}

/// A copy of what was never of this commR would pass every comparison of bytes.
fn check_p_aux(input: &Input<P2Outputs>) -> Outcome<()> {
    let p_aux = input.read_file(input.record(&input.outputs.files, "p_aux")?)?;
    vanilla::check_comm_r(&p_aux, input.outputs.comm_r)
        .map_err(|reason| Failure::step_back(Phase::P2, format!("{}: {reason}", input.dir.display())))
}

struct Copy<'a> {
    input: &'a Input<P2Outputs>,
    target: &'a mut Target,
    /// For both ways: what is read back crosses the same network.
    pace: Pace,
    moved: u64,
    /// Of the files, once.
    bytes: u64,
}

impl Copy<'_> {
    /// Makes all files before anything is read: a node without room for them is known at once.
    fn write_all(&mut self, files: &[&FileRecord]) -> Outcome<()> {
        progress::step("copying", 0.0, 0.5);
        let made = files.iter().map(|file| self.target.create(&file.name, file.size)).collect::<Outcome<Vec<_>>>()?;
        for (file, target) in files.iter().zip(made) {
            self.write(file, &target)?;
        }
        self.target.sync()
    }

    /// One pass over a file of P2: it must be what P2 recorded.
    fn write(&mut self, file: &FileRecord, target: &File) -> Outcome<()> {
        let source = self.open_source(file)?;
        let copying = format!("copying {}", file.name);
        let (moved, bytes) = (&mut self.moved, self.bytes);
        let (mut read, mut written) = (CacheDropper::of_reads(&source), CacheDropper::of_writes(target));
        let (size, hash) = stream(&source, &self.pace, |chunk| {
            direct::write_all_at(target, &mut chunk.buffer, chunk.len, chunk.offset)?;
            let end = chunk.offset + chunk.len as u64;
            read.up_to(end)?;
            written.up_to(end)?;
            advance(moved, bytes, chunk.len);
            Ok(())
        })
        .context(&copying)?;
        // Whole blocks were written.
        target.set_len(size).context(&copying)?;
        target.sync_all().context(&copying)?;
        read.all(size).context(&copying)?;
        file.compare(&FileRecord::new(&file.name, size, hash), "P2 recorded")
            .map_err(|reason| Failure::step_back(Phase::P2, reason))
    }

    fn open_source(&self, file: &FileRecord) -> Outcome<File> {
        let path = self.input.dir.join(&file.name);
        let opening = format!("opening {}", path.display());
        let source = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::step_back(Phase::P2, format!("{} is not there", path.display())),
            _ => Failure::io(&opening, &error),
        })?;
        // Past the page cache too: what counts is what the disk holds, and the memory belongs to P1.
        direct::bypass_cache(source).context(&opening)
    }

    fn read_back_all(&mut self, files: &[&FileRecord]) -> Outcome<Vec<FileRecord>> {
        progress::step("reading back", 0.5, 0.99);
        files.iter().map(|file| self.read_back(file)).collect()
    }

    fn read_back(&mut self, file: &FileRecord) -> Outcome<FileRecord> {
        let written = self.target.read(&file.name)?;
        let reading = format!("reading {} back", file.name);
        let (moved, bytes) = (&mut self.moved, self.bytes);
        let mut read = CacheDropper::of_reads(&written);
        let (size, hash) = stream(&written, &self.pace, |chunk| {
            read.up_to(chunk.offset + chunk.len as u64)?;
            advance(moved, bytes, chunk.len);
            Ok(())
        })
        .context(&reading)?;
        read.all(size).context(&reading)?;
        same(file, FileRecord::new(&file.name, size, hash))
    }

    /// A proof from the copy that lies there: what the chain will ask for. Returns the number of leaves proved.
    fn prove(&self, job: &Job) -> Outcome<usize> {
        progress::step("proving", 0.99, 1.0);
        let copy = self.target.path();
        let comm_r = self.input.outputs.comm_r;
        let replica = copy.join(REPLICA);
        let stored = Stored { sector: &job.sector, size: job.size, comm_r, replica: &replica, cache: &copy };
        // Every digest is P2's: what cannot be proved here cannot be proved there.
        vanilla::prove(&stored)?.map_err(|reason| {
            Failure::step_back(Phase::P2, format!("no proof from the copy, which is as P2 made it: {reason}"))
        })
    }
}

/// What was read back must be what was written.
fn same(written: &FileRecord, found: FileRecord) -> Outcome<FileRecord> {
    match written.compare(&found, "written were") {
        Ok(()) => Ok(found),
        Err(reason) => Err(Failure::CopyDamaged(format!("read back: {reason}"))),
    }
}

/// Of copying and reading back, whichever is going on, `by` bytes more are done.
fn advance(moved: &mut u64, bytes: u64, by: usize) {
    *moved += by as u64;
    progress::copied(*moved);
    let behind = if *moved > bytes { bytes } else { 0 };
    progress::within((*moved - behind) as f64 / bytes as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_reads_back_differently_is_damaged() {
        let written = FileRecord::of_bytes("sealed", b"what was written");
        assert_eq!(same(&written, written.clone()), Ok(written.clone()));
        let found = FileRecord::of_bytes("sealed", b"what was writtem");
        let failure = same(&written, found.clone()).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(matches!(&failure, Failure::CopyDamaged(reason) if reason.contains("sealed")));
        assert!(failure.to_string().contains(&written.blake3) && failure.to_string().contains(&found.blake3));
    }
}
