//! job.json: what one attempt is to compute. Written by the worker, never changed.

use crate::failure::{Failure, IoContext, Outcome};
use crate::hex32::Hex32;
use crate::phase::Phase;
use crate::sector::Sector;
use crate::sizes::Size;
use crate::versions::{self, PROTOCOL};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub phase: Phase,
    pub sector: Sector,
    pub size: Size,
    pub input_hash: Hex32,
    pub ticket: Hex32,
    pub seed: Option<Hex32>,
    #[serde(default)]
    inputs: BTreeMap<Phase, PathBuf>,
    /// Attempts of the same phase and input, newest first.
    #[serde(default)]
    pub earlier: Vec<PathBuf>,
    pub copy: Option<Copy>,
    /// CPU numbers; `None` = all.
    pub cores: Option<Vec<usize>>,
    progress_every_ms: u64,
    lease_every_ms: u64,
    pub made_by: MadeBy,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    pub node: PathBuf,
    pub into: PathBuf,
    /// 0 = no limit.
    #[serde(default)]
    pub limit_bytes_per_sec: u64,
    pub shared: Option<Shared>,
}

/// One ceiling for all copies of the host, kept in the file `path`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    pub limit_bytes_per_sec: u64,
    pub path: PathBuf,
}

#[derive(Debug, Deserialize)]
pub struct MadeBy {
    pub host: String,
}

impl Job {
    /// Reads and checks a job. `phase` is what the attempt's directory is named after.
    pub fn read(path: &Path, phase: Phase) -> Outcome<Job> {
        let text = std::fs::read(path).context(format_args!("reading {}", path.display()))?;
        Job::parse(&text, phase).map_err(|reason| Failure::BadInput(format!("{}: {reason}", path.display())))
    }

    fn parse(text: &[u8], phase: Phase) -> Result<Job, String> {
        // The version comes first: what an unknown one means by its keys is unknown too.
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let Versioned { v } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !versions::readable(v) {
            return Err(format!("v is {v}; this engine knows version {PROTOCOL} and the one before"));
        }
        // Names the key, which serde_json does not. Numbers are strict: JSON integers, as 4100000.0 is not.
        let job: Job = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text))
            .map_err(|error| error.to_string())?;
        job.check(phase)?;
        Ok(job)
    }

    fn check(&self, phase: Phase) -> Result<(), String> {
        if self.phase != phase {
            return Err(format!("phase is {}, but the attempt's directory is of {phase}", self.phase));
        }
        if let Some(missing) = self.phase.depends_on().iter().find(|on| !self.inputs.contains_key(on)) {
            return Err(format!("{phase} needs inputs.{missing}"));
        }
        for path in self.inputs.values().chain(&self.earlier) {
            if path.components().next() != Some(Component::ParentDir) {
                return Err(format!("{} is not relative to the attempt (../P1-1)", path.display()));
            }
        }
        match (self.phase, self.seed) {
            (Phase::P3 | Phase::P4, None) => return Err(format!("{phase} needs seed")),
            (Phase::P3 | Phase::P4, Some(seed)) if seed.is_zero() => return Err("seed is all zeros".to_owned()),
            _ => {}
        }
        if self.cores.as_ref().is_some_and(Vec::is_empty) {
            return Err("cores is empty; leave it out for all".to_owned());
        }
        if self.progress_every_ms == 0 || self.lease_every_ms == 0 {
            return Err("progressEveryMs and leaseEveryMs must be more than 0".to_owned());
        }
        match &self.copy {
            None if self.phase == Phase::P5 => Err("P5 needs copy".to_owned()),
            Some(copy) => copy.check(),
            None => Ok(()),
        }
    }

    /// The attempt of `phase` whose result this job needs, relative to the working directory.
    pub fn input(&self, phase: Phase) -> &Path {
        &self.inputs[&phase]
    }

    pub fn seed(&self) -> [u8; 32] {
        self.seed.expect("checked when the job was read").0
    }

    pub fn progress_every(&self) -> Duration {
        Duration::from_millis(self.progress_every_ms)
    }

    pub fn lease_every(&self) -> Duration {
        Duration::from_millis(self.lease_every_ms)
    }
}

impl Copy {
    /// `into` must stay below `node` whatever it holds: plain names only.
    fn check(&self) -> Result<(), String> {
        if !self.node.is_absolute() {
            return Err(format!("copy.node {} is not absolute", self.node.display()));
        }
        let text = self.into.to_string_lossy();
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(format!("copy.into {text:?} must be a plain path below copy.node"));
        }
        match &self.shared {
            Some(shared) if shared.limit_bytes_per_sec == 0 => {
                Err("copy.shared.limitBytesPerSec must be more than 0; leave shared out for no limit".to_owned())
            }
            Some(shared) if !shared.path.is_absolute() => {
                Err(format!("copy.shared.path {} is not absolute", shared.path.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    fn job(change: impl Fn(&mut Value)) -> Result<Job, String> {
        let mut job = json!({
            "v": 1, "phase": "P3", "sector": "t01000/7", "size": "2KiB", "inputHash": "ab".repeat(32),
            "ticket": "01".repeat(32), "seed": "02".repeat(32), "inputs": { "P2": "../P2-1" },
            "progressEveryMs": 5000, "leaseEveryMs": 2000, "madeBy": { "host": "10.0.0.1" }, "unknown": [1],
            "copy": { "node": "/mnt/node", "into": ".sealflow/s-t01000-7.1" },
        });
        change(&mut job);
        Job::parse(&serde_json::to_vec(&job).unwrap(), Phase::P3)
    }

    #[test]
    fn a_whole_job() {
        let job = job(|_| {}).unwrap();
        assert_eq!(job.input(Phase::P2), Path::new("../P2-1"));
        assert_eq!(job.seed(), [2; 32]);
        assert_eq!(job.copy.unwrap().limit_bytes_per_sec, 0);
    }

    #[test]
    fn of_the_version_before_is_understood() {
        assert!(job(|job| job["v"] = json!(PROTOCOL - 1)).is_ok());
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let wrong = |key: &str, value: Value, said: &str| {
            let error = job(|job| job[key] = value.clone()).unwrap_err();
            assert!(error.contains(said), "{key}: {error}");
        };
        wrong("v", json!(PROTOCOL + 1), "v is 2");
        wrong("phase", json!("P6"), "P6");
        wrong("phase", json!("P2"), "phase is P2");
        wrong("sector", json!("t01000"), "t01000");
        wrong("size", json!("4KiB"), "4KiB");
        wrong("ticket", json!("xyz"), "64 hex digits");
        wrong("seed", json!("00".repeat(32)), "all zeros");
        wrong("seed", Value::Null, "needs seed");
        wrong("inputs", json!({}), "needs inputs.P2");
        wrong("inputs", json!({ "P2": "/sealer/P2-1" }), "not relative");
        wrong("earlier", json!(["P1-1"]), "not relative");
        wrong("cores", json!([]), "cores");
        wrong("leaseEveryMs", json!(0), "leaseEveryMs");
        for into in ["/etc", "../x", "a/../../x", "", "a//b", "./a", "a/"] {
            wrong("copy", json!({ "node": "/mnt", "into": into }), "copy.into");
        }
        wrong("copy", json!({ "node": "mnt", "into": "a" }), "not absolute");
        let shared = |limit: i64, path: &str| json!({ "node": "/mnt", "into": "a", "shared": { "limitBytesPerSec": limit, "path": path } });
        wrong("copy", shared(0, "/dev/shm/x"), "more than 0");
        wrong("copy", shared(-1, "/dev/shm/x"), "-1");
        wrong("copy", shared(1, "x"), "copy.shared.path x is not absolute");
    }
}
