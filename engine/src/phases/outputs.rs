//! What each phase writes into result.json.

use crate::digest::FileRecord;
use crate::hex32::Hex32;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a phase contributes to result.json: `outputs`, and its own part of `facts`.
pub struct Done {
    pub outputs: Value,
    pub facts: Map<String, Value>,
}

impl Done {
    pub fn of(outputs: impl Serialize) -> Done {
        let outputs = serde_json::to_value(outputs).expect("outputs are plain data");
        Done { outputs, facts: Map::new() }
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
    /// base64
    pub proof: String,
}

#[derive(Serialize)]
pub struct P5Outputs {
    pub files: Vec<FileRecord>,
}
