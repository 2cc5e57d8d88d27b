//! Checks that a stored replica belongs to its commR: p_aux is compared with commR, and random leaves of the replica
//! with p_aux.
//!
//! commR is the Poseidon hash of the roots of tree-c and tree-r-last, which are in p_aux; tree-r-last is the tree of
//! the replica. The library proves leaves, as for a winning PoSt, and checks each proof: the path from the leaf up, the
//! position of the leaf, and that the root is the one in p_aux (storage-proofs-post 19.1 `fallback::vanilla_proof`). It
//! does not check commR, so both checks are needed.

use crate::damage::Damage;
use crate::diagnosis;
use crate::failure::{Failure, Outcome};
use crate::hex32::Hex32;
use crate::panics;
use crate::sector::Sector;
use crate::sizes::{with_tree, Size, REPLICA};
use blstrs::Scalar;
use filecoin_hashers::poseidon::{PoseidonDomain, PoseidonFunction};
use filecoin_hashers::{Domain, HashFunction};
use filecoin_proofs::{
    generate_fallback_sector_challenges, generate_single_vanilla_proof, MerkleTreeTrait, PrivateReplicaInfo,
};
use rand::{rngs::OsRng, RngCore};
use std::path::{Path, PathBuf};

/// The commR of a p_aux, which consists of comm_c and comm_r_last, 32 bytes each.
pub fn compute_comm_r(p_aux: &[u8]) -> Result<Hex32, Damage> {
    let (comm_c, comm_r_last) = match p_aux.len() {
        64 => p_aux.split_at(32),
        len => return Err(Damage::found(format!("p_aux is {len} bytes, not 64"))),
    };
    let comm_r = PoseidonFunction::hash2(&parse_element(comm_c)?, &parse_element(comm_r_last)?);
    Ok(Hex32(comm_r.into_bytes().try_into().expect("an element is 32 bytes")))
}

/// Parses an element of the field. The library panics on bytes that are not one.
fn parse_element(bytes: &[u8]) -> Result<PoseidonDomain, Damage> {
    let bytes: [u8; 32] = bytes.try_into().expect("half of 64");
    let scalar: Option<Scalar> = Scalar::from_bytes_le(&bytes).into();
    scalar.map(PoseidonDomain::from).ok_or_else(|| Damage::found("p_aux does not contain elements of the field"))
}

/// Checks that `p_aux` belongs to `comm_r`.
pub fn check_comm_r(p_aux: &[u8], comm_r: Hex32) -> Result<(), Damage> {
    match compute_comm_r(p_aux)? {
        found if found == comm_r => Ok(()),
        found => Err(Damage::found(format!("p_aux is of commR {found}, not {comm_r}"))),
    }
}

/// A stored sector. The directory `cache` has p_aux and tree-r-last.
pub struct StoredSector<'a> {
    pub sector: &'a Sector,
    pub size: Size,
    pub comm_r: Hex32,
    pub replica: &'a Path,
    pub cache: &'a Path,
}

/// Proves 66 randomly chosen leaves of the replica. Returns their number, or what is wrong with the files.
pub fn prove_random_leaves(stored: &StoredSector<'_>) -> Outcome<Result<usize, Damage>> {
    let retained = stored.size.retained_files().into_iter().filter(|name| !matches!(name.as_str(), REPLICA | "t_aux"));
    let files: Vec<PathBuf> = retained.map(|name| stored.cache.join(name)).chain([stored.replica.to_owned()]).collect();
    // The library would create a missing tree as an empty file.
    for path in &files {
        path.symlink_metadata().map_err(|error| Failure::io(path.display(), &error))?;
    }
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    // Keeps the seed below the modulus of the field, 0x73ed….
    seed[31] &= 0x3f;
    diagnosis::confirm(|| {
        // A panic, too, may mean that the library rejects the replica.
        match panics::catch(|| with_tree!(stored.size, prove_leaves(stored, &seed)))
            .unwrap_or_else(|panic| Err(anyhow::Error::msg(panic)))
        {
            Ok(leaves) => Ok(Ok(leaves)),
            Err(error) => diagnosis::of_library("proving", &error, &files).map(Err),
        }
    })
}

fn prove_leaves<Tree: 'static + MerkleTreeTrait>(stored: &StoredSector<'_>, seed: &[u8; 32]) -> anyhow::Result<usize> {
    let StoredSector { sector, size, comm_r, replica, cache } = *stored;
    let post = size.winning_post();
    let challenges = generate_fallback_sector_challenges::<Tree>(&post, seed, &[sector.id()], sector.prover_id())?;
    let leaves = challenges.get(&sector.id()).map_or(&[][..], Vec::as_slice);
    anyhow::ensure!(!leaves.is_empty(), "no leaf was chosen");
    let info = PrivateReplicaInfo::<Tree>::new(replica.to_owned(), comm_r.0, cache.to_owned())?;
    generate_single_vanilla_proof(&post, sector.id(), &info, leaves)?;
    Ok(leaves.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_p_aux() {
        assert!(compute_comm_r(&[0; 64]).is_ok());
        assert_eq!(compute_comm_r(&[0; 63]).unwrap_err().to_string(), "p_aux is 63 bytes, not 64");
        // Not below the modulus.
        assert!(compute_comm_r(&[0xff; 64]).unwrap_err().to_string().contains("does not contain elements"));
        let other = check_comm_r(&[0; 64], Hex32([1; 32])).unwrap_err().to_string();
        assert!(other.ends_with(&format!("not {}", "01".repeat(32))));
    }
}
