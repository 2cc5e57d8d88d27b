//! The phases. Each reads its job and its basis and returns what goes into result.json.

mod p1;
mod p2;
mod p3;
mod p4;
mod p5;

use crate::digest::FileRecord;
use crate::failure::Outcome;
use crate::hex32::Hex32;
use crate::job::{Job, Phase};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a phase is named by in result.json: `outputs`, and its own part of `facts`.
pub struct Done {
    pub outputs: Value,
    pub facts: Map<String, Value>,
}

impl Done {
    fn of(outputs: impl Serialize) -> Done {
        let outputs = serde_json::to_value(outputs).expect("outputs are plain data");
        Done { outputs, facts: Map::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct P1Outputs {
    comm_d: Hex32,
    files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct P2Outputs {
    comm_r: Hex32,
    comm_d: Hex32,
    files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
struct P3Outputs {
    files: Vec<FileRecord>,
}

#[derive(Serialize)]
struct P4Outputs {
    /// base64
    proof: String,
}

#[derive(Serialize)]
struct P5Outputs {
    files: Vec<FileRecord>,
}

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
