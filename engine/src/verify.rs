//! `sealflow-engine verify <receipt.json>`: verifies a proof; needs only the receipt and the verifying key.

use crate::failure::{Failure, Outcome};
use crate::receipt::Receipt;
use serde_json::json;
use std::path::Path;

/// Verifies the receipt `path` and prints the result. Fails with `ProofInvalid`.
pub fn run(path: &Path, as_json: bool) -> Outcome<()> {
    let receipt = Receipt::read(path)?;
    let verified = receipt.verify()?;
    let name = &receipt.sector.name;
    if as_json {
        println!("{}", json!({ "sector": name, "valid": verified.is_ok() }));
    } else if verified.is_ok() {
        println!("{name}: the proof is valid");
    }
    verified.map_err(|damage| Failure::ProofInvalid(format!("{name}: {damage}")))
}
