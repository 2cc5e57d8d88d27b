//! `sealflow-engine run <attempt directory>`: computes one phase, from job.json to result.json.

use crate::attempt;
use crate::clock;
use crate::durable;
use crate::exit;
use crate::failure::{IoContext, Outcome};
use crate::info;
use crate::job::Job;
use crate::lease::Lease;
use crate::machine;
use crate::phases;
use crate::progress;
use crate::progress_file;
use crate::versions::PROTOCOL;
use serde_json::json;
use std::path::Path;
use std::time::{Instant, SystemTime};

/// Computes the phase of the attempt `dir`. An attempt that has a result already succeeds at once.
pub fn run(dir: &Path) -> Outcome<()> {
    let attempt = attempt::enter(dir)?;
    if Path::new("result.json").exists() {
        return Ok(());
    }
    exit::set_phase(attempt.name.phase);
    let job = Job::read(Path::new("job.json"), attempt.name.phase)?;
    let lease = Lease::of(attempt)?;
    lease.check()?;
    if let Some(cores) = &job.cores {
        machine::pin_to_cpus(cores)?;
    }
    progress_file::start(&job.made_by.host, job.progress_every())?;
    attempt::refuse_leftovers(&job)?;
    lease.watch(job.lease_every())?;

    let (started_at, started) = (SystemTime::now(), Instant::now());
    let phase_result = phases::run(&job)?;
    progress::begin_step("done", 1.0, 1.0);
    progress_file::refresh().context("writing progress.json")?;
    let mut facts = phase_result.facts;
    let common_facts = json!({
        "seconds": started.elapsed().as_secs_f64(),
        "cpuSeconds": machine::cpu_seconds(),
        "peakRssBytes": machine::peak_rss_bytes(),
        "engine": info::VERSION,
        "proofs": info::PROOFS,
        "host": job.made_by.host,
        "startedAt": clock::iso(started_at),
        "endedAt": clock::now(),
    });
    facts.extend(common_facts.as_object().cloned().unwrap_or_default());
    let result = json!({
        "v": PROTOCOL, "phase": job.phase, "sector": job.sector.name, "size": job.size.name(), "inputHash": job.input_hash,
        "outputs": phase_result.outputs, "facts": facts,
    });
    durable::write_json(Path::new("result.json"), &result)
}
