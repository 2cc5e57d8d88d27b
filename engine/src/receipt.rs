//! The receipt of a sector on its storage node, `receipts/s-t01000-7.json`, which `verify` and `check-copy` check
//! against.

use crate::claim::Claim;
use crate::damage::Damage;
use crate::digest::FileRecord;
use crate::failure::{Failure, Outcome};
use crate::hex32::Hex32;
use crate::params;
use crate::sector::Sector;
use crate::sizes::Size;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    v: u64,
    sector: Sector,
    size: Size,
    ticket: Hex32,
    seed: Hex32,
    comm_d: Hex32,
    comm_r: Hex32,
    proof: String,
    /// Not needed by `verify`.
    #[serde(default)]
    files: Vec<FileRecord>,
}

pub struct Receipt {
    pub sector: Sector,
    pub size: Size,
    pub ticket: Hex32,
    pub seed: Hex32,
    pub comm_d: Hex32,
    pub comm_r: Hex32,
    pub proof: Vec<u8>,
    /// Names are relative to the storage node.
    pub files: Vec<FileRecord>,
}

impl Receipt {
    /// Reads a receipt. Fails with `BadInput` if it is missing or invalid, and with `MissingParameters` without its
    /// verifying key.
    pub fn read(path: &Path) -> Outcome<Receipt> {
        let text = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::BadInput(format!("{} is not there", path.display())),
            _ => Failure::io(format_args!("reading {}", path.display()), &error),
        })?;
        let invalid = |reason: String| Failure::BadInput(format!("{} is not a receipt: {reason}", path.display()));
        let json: Json = serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        if json.v != 1 {
            return Err(invalid(format!("v is {}; this engine knows version 1", json.v)));
        }
        let proof = BASE64_STANDARD.decode(&json.proof).map_err(|error| invalid(format!("proof: {error}")))?;
        let Json { sector, size, ticket, seed, comm_d, comm_r, files, .. } = json;
        params::require_verifying_key(size)?;
        Ok(Receipt { sector, size, ticket, seed, comm_d, comm_r, proof, files })
    }

    /// Verifies the proof. The inner error says why it is invalid.
    pub fn verify(&self) -> Outcome<Result<(), Damage>> {
        let Receipt { sector, size, ticket, seed, comm_d, comm_r, proof, .. } = self;
        let claim = Claim { size: *size, sector, ticket: *ticket, seed: *seed, comm_d: *comm_d, comm_r: *comm_r };
        claim.verify(proof)
    }
}
