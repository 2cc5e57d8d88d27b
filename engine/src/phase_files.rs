//! phase1.json and commit-phase1.json: what the library returns from P1 for P2, and from P3 for P4.
//!
//! They are byte for byte what filecoin-proofs-api 19.1 makes of it, so other programs of the network can read them. That
//! crate itself would be a quarter of a build: it is compiled for ten sizes and for all kinds of proofs.

use crate::damage::Damage;
use crate::sizes::{Size, COMMIT_PHASE1, PHASE1};
use filecoin_proofs::{
    Commitment, Labels, MerkleTreeTrait, SealCommitPhase1Output, SealPreCommitPhase1Output, StoreConfig, Ticket,
    VanillaSealProof,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage_proofs_core::merkle::Hasher;

/// An object with one key, which names the size: an enum by size, with a type for each in the library's own crate.
type OfSize<T> = BTreeMap<String, T>;

fn proof_name(size: Size) -> String {
    format!("StackedDrg{}V1_1", size.name())
}

fn of_size<T>(size: Size, value: T) -> OfSize<T> {
    BTreeMap::from([(format!("StackedDrg{}V1", size.name()), value)])
}

/// The value of this size. Fails if `proof`, or the key, is of another one.
fn take_of<T>(size: Size, file: &str, proof: &str, mut values: OfSize<T>) -> Result<T, Damage> {
    let value = values.remove(&format!("StackedDrg{}V1", size.name()));
    value
        .filter(|_| proof == proof_name(size) && values.is_empty())
        .ok_or_else(|| Damage::found(format!("{file} is not of a sector of {}", size.name())))
}

/// phase1.json.
#[derive(Serialize, Deserialize)]
pub struct PreCommitPhase1<Tree: MerkleTreeTrait> {
    registered_proof: String,
    #[serde(bound(serialize = "Labels<Tree>: Serialize", deserialize = "Labels<Tree>: Deserialize<'de>"))]
    labels: OfSize<Labels<Tree>>,
    config: StoreConfig,
    comm_d: Commitment,
}

impl<Tree: MerkleTreeTrait> PreCommitPhase1<Tree> {
    pub fn new(size: Size, output: SealPreCommitPhase1Output<Tree>) -> Self {
        let SealPreCommitPhase1Output { labels, config, comm_d } = output;
        PreCommitPhase1 { registered_proof: proof_name(size), labels: of_size(size, labels), config, comm_d }
    }

    /// Fails if it is of another size.
    pub fn into_output(self, size: Size) -> Result<SealPreCommitPhase1Output<Tree>, Damage> {
        let labels = take_of(size, PHASE1, &self.registered_proof, self.labels)?;
        Ok(SealPreCommitPhase1Output { labels, config: self.config, comm_d: self.comm_d })
    }
}

/// The proofs of each partition.
type Partitions<Tree> = Vec<Vec<VanillaSealProof<Tree>>>;

/// commit-phase1.json.
#[derive(Serialize, Deserialize)]
pub struct CommitPhase1<Tree: MerkleTreeTrait> {
    registered_proof: String,
    #[serde(bound(
        serialize = "VanillaSealProof<Tree>: Serialize",
        deserialize = "VanillaSealProof<Tree>: Deserialize<'de>"
    ))]
    vanilla_proofs: OfSize<Partitions<Tree>>,
    comm_r: Commitment,
    comm_d: Commitment,
    replica_id: <Tree::Hasher as Hasher>::Domain,
    seed: Ticket,
    ticket: Ticket,
}

impl<Tree: MerkleTreeTrait> CommitPhase1<Tree> {
    pub fn new(size: Size, output: SealCommitPhase1Output<Tree>) -> Self {
        let SealCommitPhase1Output { vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket } = output;
        let (registered_proof, vanilla_proofs) = (proof_name(size), of_size(size, vanilla_proofs));
        CommitPhase1 { registered_proof, vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket }
    }

    /// Fails if it is of another size.
    pub fn into_output(self, size: Size) -> Result<SealCommitPhase1Output<Tree>, Damage> {
        let vanilla_proofs = take_of(size, COMMIT_PHASE1, &self.registered_proof, self.vanilla_proofs)?;
        let CommitPhase1 { comm_r, comm_d, replica_id, seed, ticket, .. } = self;
        Ok(SealCommitPhase1Output { vanilla_proofs, comm_r, comm_d, replica_id, seed, ticket })
    }
}
