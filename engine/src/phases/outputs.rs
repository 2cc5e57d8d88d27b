//! The `outputs` of result.json, one type per phase.

use crate::digest::FileRecord;
use crate::hex32::Hex32;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a phase contributes to result.json: `outputs`, and the `facts` that only this phase has.
pub struct PhaseResult {
    pub outputs: Value,
    pub facts: Map<String, Value>,
}

impl PhaseResult {
    /// `outputs` of a phase without facts of its own.
    pub fn new(outputs: impl Serialize) -> PhaseResult {
        let outputs = serde_json::to_value(outputs).expect("outputs are plain data");
        PhaseResult { outputs, facts: Map::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct P1Outputs {
    pub comm_d: Hex32,
    pub files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct P2Outputs {
    pub comm_r: Hex32,
    pub comm_d: Hex32,
    pub files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
pub struct P3Outputs {
    pub files: Vec<FileRecord>,
}

#[derive(Serialize)]
pub struct P4Outputs {
    /// In base64.
    pub proof: String,
}

#[derive(Serialize)]
pub struct P5Outputs {
    pub files: Vec<FileRecord>,
}
