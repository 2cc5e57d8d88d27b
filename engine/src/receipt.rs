//! A sector's birth certificate on its storage node, `receipts/s-t01000-7.json`: what `verify` and `check-copy` go by.

use crate::digest::FileRecord;
use crate::failure::{Failure, Outcome};
use crate::hex32::Hex32;
use crate::params;
use crate::sector::Sector;
use crate::sizes::Size;
use base64::prelude::{Engine, BASE64_STANDARD};
use filecoin_proofs_api::seal::verify_seal;
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
    /// `verify` does without.
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
    /// Reads a receipt. One that cannot be checked for want of the verifying key is a failure, too.
    pub fn read(path: &Path) -> Outcome<Receipt> {
        let text = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::BadInput(format!("{} is not there", path.display())),
            _ => Failure::io(format_args!("reading {}", path.display()), &error),
        })?;
        let no_receipt = |reason: String| Failure::BadInput(format!("{} is not a receipt: {reason}", path.display()));
        let json: Json = serde_json::from_slice(&text).map_err(|error| no_receipt(error.to_string()))?;
        if json.v != 1 {
            return Err(no_receipt(format!("v is {}; this engine knows version 1", json.v)));
        }
        let proof = BASE64_STANDARD.decode(&json.proof).map_err(|error| no_receipt(format!("proof: {error}")))?;
        let Json { sector, size, ticket, seed, comm_d, comm_r, files, .. } = json;
        params::require_verifying_key(size)?;
        Ok(Receipt { sector, size, ticket, seed, comm_d, comm_r, proof, files })
    }

    /// Checks the proof; the error says why it does not hold.
    pub fn verify(&self) -> Result<(), String> {
        let Receipt { sector, size, ticket, seed, comm_d, comm_r, proof, .. } = self;
        let checked =
            verify_seal(size.proof(), comm_r.0, comm_d.0, sector.prover_id(), sector.id(), ticket.0, seed.0, proof);
        // The library answers with an error (an I/O error even) when the bytes are no points of the curve: invalid all the same.
        // The key was read before.
        match checked {
            Ok(true) => Ok(()),
            Ok(false) => Err("the proof does not verify".to_owned()),
            Err(error) => Err(format!("the proof does not verify: {error:#}")),
        }
    }
}
