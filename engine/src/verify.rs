//! `sealflow-engine verify <receipt.json>`: checks a proof from nothing but the receipt and the verifying key.

use crate::failure::{Failure, Outcome};
use crate::hex32::Hex32;
use crate::params;
use crate::sector::Sector;
use crate::sizes::Size;
use base64::prelude::{Engine, BASE64_STANDARD};
use filecoin_proofs_api::seal::verify_seal;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    v: u64,
    sector: Sector,
    size: Size,
    ticket: Hex32,
    seed: Hex32,
    comm_d: Hex32,
    comm_r: Hex32,
    proof: String,
}

pub fn run(path: &Path, as_json: bool) -> Outcome<()> {
    let text = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::BadInput(format!("{} is not there", path.display())),
        _ => Failure::io(format_args!("reading {}", path.display()), &error),
    })?;
    let no_receipt = |why: String| Failure::BadInput(format!("{} is not a receipt: {why}", path.display()));
    let receipt: Receipt = serde_json::from_slice(&text).map_err(|error| no_receipt(error.to_string()))?;
    if receipt.v != 1 {
        return Err(no_receipt(format!("v is {}; this engine knows version 1", receipt.v)));
    }
    let proof = BASE64_STANDARD.decode(&receipt.proof).map_err(|error| no_receipt(format!("proof: {error}")))?;
    params::require_verifying_key(receipt.size)?;

    let Receipt { sector, size, ticket, seed, comm_d, comm_r, .. } = receipt;
    let checked =
        verify_seal(size.proof(), comm_r.0, comm_d.0, sector.prover_id(), sector.id(), ticket.0, seed.0, &proof);
    // The library answers with an error (an I/O error even) when the bytes are no points of the curve: invalid all the same. The
    // key was read before.
    let (valid, why) = match checked {
        Ok(valid) => (valid, String::new()),
        Err(error) => (false, format!(": {error:#}")),
    };
    if as_json {
        println!("{}", json!({ "sector": sector.name, "valid": valid }));
    } else if valid {
        println!("{}: the proof is valid", sector.name);
    }
    match valid {
        true => Ok(()),
        false => Err(Failure::ProofInvalid(format!("{}: the proof does not verify{why}", sector.name))),
    }
}
