//! job.json: what an attempt has to compute. The worker writes it, and it never changes.

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

/// Each is a thread, and more than a few find nothing to do.
const MAX_PRODUCERS: usize = 64;

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
    /// Earlier attempts of the same phase with the same input, newest first.
    #[serde(default)]
    pub earlier: Vec<PathBuf>,
    pub copy: Option<Copy>,
    /// CPU numbers; `None` means all.
    pub cores: Option<Vec<usize>>,
    /// P1: threads that gather parents beside the one that hashes; 0: none; `None`: as many as the cores allow.
    pub producers: Option<usize>,
    progress_every_ms: u64,
    lease_every_ms: u64,
    pub made_by: MadeBy,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    pub node: PathBuf,
    /// The staging directory, relative to `node`.
    pub staging: PathBuf,
    /// 0 means no limit.
    #[serde(default)]
    pub limit_bytes_per_sec: u64,
    pub shared: Option<SharedLimit>,
}

/// A rate limit for all copies of the host together, coordinated through the file `path`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedLimit {
    pub limit_bytes_per_sec: u64,
    pub path: PathBuf,
}

#[derive(Debug, Deserialize)]
pub struct MadeBy {
    pub host: String,
}

impl Job {
    /// Reads and validates a job. `phase` is the phase in the name of the attempt's directory. Fails with `BadInput` if
    /// they disagree or if the job is invalid.
    pub fn read(path: &Path, phase: Phase) -> Outcome<Job> {
        let text = std::fs::read(path).context(format_args!("reading {}", path.display()))?;
        Job::parse(&text, phase).map_err(|reason| Failure::BadInput(format!("{}: {reason}", path.display())))
    }

    fn parse(text: &[u8], phase: Phase) -> Result<Job, String> {
        // The version is checked first, as other versions may define the other keys differently.
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let Versioned { v } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !versions::is_supported(v) {
            return Err(format!("v is {v}; this engine reads version {PROTOCOL} and the previous one"));
        }
        // serde_path_to_error, so that messages name the key. Numbers must be JSON integers, which 4100000.0 is not.
        let job: Job = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text))
            .map_err(|error| error.to_string())?;
        job.validate(phase)?;
        Ok(job)
    }

    fn validate(&self, phase: Phase) -> Result<(), String> {
        if self.phase != phase {
            return Err(format!("phase is {}, but the attempt's directory is for {phase}", self.phase));
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
            return Err("cores is empty; omit it to use all".to_owned());
        }
        if self.producers.is_some_and(|producers| producers > MAX_PRODUCERS) {
            return Err(format!("producers must be {MAX_PRODUCERS} or less"));
        }
        if self.progress_every_ms == 0 || self.lease_every_ms == 0 {
            return Err("progressEveryMs and leaseEveryMs must be more than 0".to_owned());
        }
        match &self.copy {
            None if self.phase == Phase::P5 => Err("P5 needs copy".to_owned()),
            Some(copy) => copy.validate(),
            None => Ok(()),
        }
    }

    /// The directory of the attempt of `phase` whose result this job takes as input, relative to the working directory.
    pub fn input(&self, phase: Phase) -> &Path {
        &self.inputs[&phase]
    }

    pub fn seed(&self) -> [u8; 32] {
        self.seed.expect("validated when the job was read").0
    }

    pub fn progress_every(&self) -> Duration {
        Duration::from_millis(self.progress_every_ms)
    }

    pub fn lease_every(&self) -> Duration {
        Duration::from_millis(self.lease_every_ms)
    }
}

impl Copy {
    /// `staging` must not lead out of `node`, so it may consist only of plain names.
    fn validate(&self) -> Result<(), String> {
        if !self.node.is_absolute() {
            return Err(format!("copy.node {} is not absolute", self.node.display()));
        }
        let text = self.staging.to_string_lossy();
        if text.split('/').any(|component| matches!(component, "" | "." | "..")) {
            return Err(format!("copy.staging {text:?} must be a plain path below copy.node"));
        }
        match &self.shared {
            Some(shared) if shared.limit_bytes_per_sec == 0 => {
                Err("copy.shared.limitBytesPerSec must be more than 0; omit shared for no limit".to_owned())
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
            "copy": { "node": "/mnt/node", "staging": ".sealflow/s-t01000-7.1" },
        });
        change(&mut job);
        Job::parse(&serde_json::to_vec(&job).unwrap(), Phase::P3)
    }

    #[test]
    fn a_valid_job() {
        let job = job(|_| {}).unwrap();
        assert_eq!(job.input(Phase::P2), Path::new("../P2-1"));
        assert_eq!(job.seed(), [2; 32]);
        assert_eq!(job.copy.unwrap().limit_bytes_per_sec, 0);
    }

    #[test]
    fn the_previous_version_is_read() {
        assert!(job(|job| job["v"] = json!(PROTOCOL - 1)).is_ok());
    }

    #[test]
    fn invalid_values_are_named() {
        let invalid = |key: &str, value: Value, expected: &str| {
            let error = job(|job| job[key] = value.clone()).unwrap_err();
            assert!(error.contains(expected), "{key}: {error}");
        };
        invalid("v", json!(PROTOCOL + 1), "v is 2");
        invalid("phase", json!("P6"), "P6");
        invalid("phase", json!("P2"), "phase is P2");
        invalid("sector", json!("t01000"), "t01000");
        invalid("size", json!("4KiB"), "4KiB");
        invalid("ticket", json!("xyz"), "64 hex digits");
        invalid("seed", json!("00".repeat(32)), "all zeros");
        invalid("seed", Value::Null, "needs seed");
        invalid("inputs", json!({}), "needs inputs.P2");
        invalid("inputs", json!({ "P2": "/sealer/P2-1" }), "not relative");
        invalid("earlier", json!(["P1-1"]), "not relative");
        invalid("cores", json!([]), "cores");
        invalid("producers", json!(65), "producers");
        invalid("producers", json!(-1), "producers");
        invalid("leaseEveryMs", json!(0), "leaseEveryMs");
        for staging in ["/etc", "../x", "a/../../x", "", "a//b", "./a", "a/"] {
            invalid("copy", json!({ "node": "/mnt", "staging": staging }), "copy.staging");
        }
        invalid("copy", json!({ "node": "mnt", "staging": "a" }), "not absolute");
        let shared = |limit: i64, path: &str| json!({ "node": "/mnt", "staging": "a", "shared": { "limitBytesPerSec": limit, "path": path } });
        invalid("copy", shared(0, "/dev/shm/x"), "more than 0");
        invalid("copy", shared(-1, "/dev/shm/x"), "-1");
        invalid("copy", shared(1, "x"), "copy.shared.path x is not absolute");
    }
}
