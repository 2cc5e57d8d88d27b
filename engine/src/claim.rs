//! What a proof of a sector proves.

use crate::damage::Damage;
use crate::diagnosis;
use crate::failure::Outcome;
use crate::hex32::Hex32;
use crate::params;
use crate::sector::Sector;
use crate::sizes::{with_tree, Size};
use filecoin_proofs::verify_seal;

pub struct Claim<'a> {
    pub size: Size,
    pub sector: &'a Sector,
    pub ticket: Hex32,
    pub seed: Hex32,
    pub comm_d: Hex32,
    pub comm_r: Hex32,
}

impl Claim<'_> {
    /// Verifies a proof. The inner error says why it is invalid.
    pub fn verify(&self, proof: &[u8]) -> Outcome<Result<(), Damage>> {
        let Claim { size, sector, ticket, seed, comm_d, comm_r } = *self;
        diagnosis::confirm(|| {
            let (prover, id) = (sector.prover_id(), sector.id());
            let porep = size.porep();
            match with_tree!(size, verify_seal(&porep, comm_r.0, comm_d.0, prover, id, ticket.0, seed.0, proof)) {
                Ok(true) => Ok(Ok(())),
                Ok(false) => Ok(Err(Damage::found("the proof does not verify"))),
                Err(error) => {
                    // The library reads the key itself, and what it then says does not always tell of the key. Bytes
                    // that are not points of the curve are an error too.
                    let key = params::require_verifying_key(size)?;
                    diagnosis::of_library("the proof does not verify", &error, [key]).map(Err)
                }
            }
        })
    }
}
