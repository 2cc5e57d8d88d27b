//! P5: a proved copy of what is kept, on a storage node.

use super::{Done, P2Outputs, P5Outputs};
use crate::basis::Basis;
use crate::copy::direct;
use crate::copy::drain::Drain;
use crate::copy::pace::Pace;
use crate::copy::shared::Shared;
use crate::copy::target::Target;
use crate::digest::FileRecord;
use crate::failure::{At, Failure, Outcome};
use crate::job::{Job, Phase};
use crate::progress;
use crate::stream::stream;
use serde_json::json;
use std::fs::File;
use std::io;
use std::time::Instant;

pub fn run(job: &Job) -> Outcome<Done> {
    let basis = Basis::<P2Outputs>::read(job, Phase::P2)?;
    let names = job.size.kept();
    let files = names.iter().map(|name| basis.record(&basis.outputs.files, name)).collect::<Outcome<Vec<_>>>()?;
    let to = job.copy.as_ref().expect("checked when the job was read");
    let shared = to.shared.as_ref().map(|shared| Shared::open(shared.limit_bytes_per_sec, &shared.path)).transpose()?;
    let target = Target::make(&to.node, &to.into)?;
    let mut copy = Copy { basis: &basis, target, pace: Pace::new(to.limit_bytes_per_sec, shared), moved: 0, total: 0 };
    copy.total = 2 * files.iter().map(|file| file.size).sum::<u64>();

    let copied = copy.all(&files).inspect_err(|_| copy.target.remove(&names))?;
    let mut done = Done::of(P5Outputs { files: copied.files });
    let node = to.node.file_name().unwrap_or_default().to_string_lossy();
    done.facts.extend([
        ("node".to_owned(), json!(node)),
        ("into".to_owned(), json!(to.into)),
        ("bytes".to_owned(), json!(copy.total / 2)),
        ("writeSeconds".to_owned(), json!(copied.write_seconds)),
        ("readBackSeconds".to_owned(), json!(copied.read_back_seconds)),
    ]);
    Ok(done)
}

struct Copy<'a> {
    basis: &'a Basis<P2Outputs>,
    target: Target,
    /// For both ways: what is read back crosses the same network.
    pace: Pace,
    moved: u64,
    /// Bytes to write and to read back.
    total: u64,
}

struct Copied {
    files: Vec<FileRecord>,
    write_seconds: f64,
    read_back_seconds: f64,
}

impl Copy<'_> {
    fn all(&mut self, files: &[&FileRecord]) -> Outcome<Copied> {
        progress::step("copying", 0.0, 1.0);
        let started = Instant::now();
        for file in files {
            self.write(file)?;
        }
        self.target.sync()?;
        let written = Instant::now();
        let files = files.iter().map(|file| self.read_back(file)).collect::<Outcome<_>>()?;
        Ok(Copied {
            files,
            write_seconds: (written - started).as_secs_f64(),
            read_back_seconds: written.elapsed().as_secs_f64(),
        })
    }

    /// One pass over a file of P2: it must be what P2 recorded.
    fn write(&mut self, file: &FileRecord) -> Outcome<()> {
        let source = self.open_source(file)?;
        let target = self.target.create(&file.name, file.size)?;
        let copying = format!("copying {}", file.name);
        let pace = &self.pace;
        let (moved, total) = (&mut self.moved, self.total);
        let (mut read, mut written) = (Drain::of_reads(&source), Drain::of_writes(&target));
        let (size, hash) = stream(&source, pace, |chunk| {
            direct::write_all_at(&target, &mut chunk.buffer, chunk.len, chunk.offset)?;
            let end = chunk.offset + chunk.len as u64;
            read.up_to(end)?;
            written.up_to(end)?;
            advance(moved, total, chunk.len);
            Ok(())
        })
        .at(&copying)?;
        // Whole blocks were written.
        target.set_len(size).at(&copying)?;
        target.sync_all().at(&copying)?;
        read.all(size).at(&copying)?;
        file.compare(&FileRecord::new(&file.name, size, hash), "P2 recorded")
            .map_err(|why| Failure::step_back(Phase::P2, why))
    }

    fn open_source(&self, file: &FileRecord) -> Outcome<File> {
        let path = self.basis.dir.join(&file.name);
        let opening = format!("opening {}", path.display());
        let source = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::step_back(Phase::P2, format!("{} is not there", path.display())),
            _ => Failure::io(&opening, &error),
        })?;
        // Past the page cache too: what counts is what the disk holds, and the memory belongs to P1.
        direct::bypass_cache(source).at(&opening)
    }

    fn read_back(&mut self, file: &FileRecord) -> Outcome<FileRecord> {
        let written = self.target.open(&file.name)?;
        let (moved, total) = (&mut self.moved, self.total);
        let mut read = Drain::of_reads(&written);
        let (size, hash) = stream(&written, &self.pace, |chunk| {
            read.up_to(chunk.offset + chunk.len as u64)?;
            advance(moved, total, chunk.len);
            Ok(())
        })
        .at(format_args!("reading {} back", file.name))?;
        read.all(size).at(format_args!("reading {} back", file.name))?;
        let found = FileRecord::new(&file.name, size, hash);
        file.compare(&found, "written were").map_err(|why| Failure::PassingFault(format!("read back: {why}")))?;
        Ok(found)
    }
}

fn advance(moved: &mut u64, total: u64, by: usize) {
    *moved += by as u64;
    progress::copied(*moved);
    progress::within(*moved as f64 / total as f64);
}
