//! The sector sizes that have proofs, and the files of a sector of each size.

use filecoin_proofs::constants::{WINNING_POST_CHALLENGE_COUNT, WINNING_POST_SECTOR_COUNT};
use filecoin_proofs::{MerkleTreeTrait, PoRepConfig, PoStConfig, PoStType, SectorSize};
use serde::{Deserialize, Serialize};
use storage_proofs_core::api_version::ApiVersion;

/// Calls a function that is generic over the library's Merkle tree, with the tree of a size.
macro_rules! with_tree {
    ($size:expr, $f:ident($($arg:expr),*)) => {{
        use filecoin_proofs::constants as shapes;
        match $size {
            $crate::sizes::Size::KiB2 => $f::<shapes::SectorShape2KiB>($($arg),*),
            $crate::sizes::Size::MiB8 => $f::<shapes::SectorShape8MiB>($($arg),*),
            $crate::sizes::Size::MiB512 => $f::<shapes::SectorShape512MiB>($($arg),*),
            $crate::sizes::Size::GiB32 => $f::<shapes::SectorShape32GiB>($($arg),*),
            $crate::sizes::Size::GiB64 => $f::<shapes::SectorShape64GiB>($($arg),*),
        }
    }};
}
pub(crate) use with_tree;

pub const REPLICA: &str = "sealed";
pub const PHASE1: &str = "phase1.json";
pub const COMMIT_PHASE1: &str = "commit-phase1.json";
pub const TREE_D: &str = "sc-02-data-tree-d.dat";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    #[serde(rename = "2KiB")]
    KiB2,
    #[serde(rename = "8MiB")]
    MiB8,
    #[serde(rename = "512MiB")]
    MiB512,
    #[serde(rename = "32GiB")]
    GiB32,
    #[serde(rename = "64GiB")]
    GiB64,
}

impl Size {
    pub const ALL: [Size; 5] = [Size::KiB2, Size::MiB8, Size::MiB512, Size::GiB32, Size::GiB64];

    pub fn name(self) -> &'static str {
        match self {
            Size::KiB2 => "2KiB",
            Size::MiB8 => "8MiB",
            Size::MiB512 => "512MiB",
            Size::GiB32 => "32GiB",
            Size::GiB64 => "64GiB",
        }
    }

    /// The size called `name`. The error lists the valid names.
    pub fn from_name(name: &str) -> Result<Size, String> {
        let names = Size::ALL.map(Size::name).join(", ");
        Size::ALL
            .into_iter()
            .find(|size| size.name() == name)
            .ok_or_else(|| format!("{name:?} is not a sector size: one of {names}"))
    }

    /// Size of the replica and of each layer in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Size::KiB2 => 2 << 10,
            Size::MiB8 => 8 << 20,
            Size::MiB512 => 512 << 20,
            Size::GiB32 => 32 << 30,
            Size::GiB64 => 64 << 30,
        }
    }

    /// The proof of replication `StackedDrg…V1_1`, as the network registers it (filecoin-proofs-api `registry.rs`).
    pub fn porep(self) -> PoRepConfig {
        // A replica's ID depends on this number, so a sector sealed under another one is worth nothing.
        let registered: u64 = match self {
            Size::KiB2 => 5,
            Size::MiB8 => 6,
            Size::MiB512 => 7,
            Size::GiB32 => 8,
            Size::GiB64 => 9,
        };
        let mut porep_id = [0; 32];
        porep_id[..8].copy_from_slice(&registered.to_le_bytes());
        PoRepConfig::new_groth16(self.bytes(), porep_id, ApiVersion::V1_1_0)
    }

    /// The winning PoSt `StackedDrgWinning…V1`, which proves 66 leaves of the replica.
    pub fn winning_post(self) -> PoStConfig {
        PoStConfig {
            sector_size: SectorSize(self.bytes()),
            challenge_count: WINNING_POST_CHALLENGE_COUNT,
            sector_count: WINNING_POST_SECTOR_COUNT,
            typ: PoStType::Winning,
            priority: true,
            api_version: ApiVersion::V1_0_0,
        }
    }

    /// Identifies the circuit of the proof of replication. The names of its parameters consist of that.
    pub fn circuit_identifier(self) -> anyhow::Result<String> {
        fn identifier<Tree: 'static + MerkleTreeTrait>(porep: &PoRepConfig) -> anyhow::Result<String> {
            porep.get_cache_identifier::<Tree>()
        }
        with_tree!(self, identifier(&self.porep()))
    }

    /// Whether the size needs the published parameters of the trusted setup. For the other sizes everybody can generate
    /// them.
    pub fn is_production(self) -> bool {
        matches!(self, Size::GiB32 | Size::GiB64)
    }

    pub fn layers(self) -> usize {
        if self.is_production() {
            11
        } else {
            2
        }
    }

    pub fn partitions(self) -> usize {
        usize::from(self.porep().partitions)
    }

    /// Number of subtrees of tree-c and tree-r-last (storage-proofs-core `get_base_tree_count` of the shapes 8-0-0,
    /// 8-8-0 and 8-8-2).
    fn subtrees(self) -> usize {
        match self {
            Size::GiB32 => 8,
            Size::GiB64 => 16,
            _ => 1,
        }
    }

    /// The files that P1 generates for P2, in the order in which they are finished: tree-d, then the layers.
    pub fn label_files(self) -> Vec<String> {
        std::iter::once(TREE_D.to_owned())
            .chain((1..=self.layers()).map(|layer| format!("sc-02-data-layer-{layer}.dat")))
            .collect()
    }

    /// The retained files of a sector: P2 generates them, P5 copies them to the storage node.
    pub fn retained_files(self) -> Vec<String> {
        [REPLICA, "p_aux", "t_aux"].map(str::to_owned).into_iter().chain(self.tree_files("r-last")).collect()
    }

    /// The files of P2 that P3 reads.
    pub fn proving_files(self) -> Vec<String> {
        self.retained_files().into_iter().chain(self.label_files()).chain(self.tree_files("c")).collect()
    }

    fn tree_files(self, tree: &str) -> Vec<String> {
        match self.subtrees() {
            1 => vec![format!("sc-02-data-tree-{tree}.dat")],
            n => (0..n).map(|i| format!("sc-02-data-tree-{tree}-{i}.dat")).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use filecoin_proofs::constants::LAYERS;

    #[test]
    fn constants_match_the_library() {
        for size in Size::ALL {
            assert_eq!(LAYERS.read().unwrap()[&size.bytes()], size.layers());
            assert_eq!(Size::from_name(size.name()), Ok(size));
        }
        assert_eq!(Size::KiB2.partitions(), 1);
        assert_eq!(Size::GiB32.partitions(), 10);
    }

    #[test]
    fn proofs_are_the_registered_ones() {
        for (size, id) in Size::ALL.into_iter().zip(5..) {
            let porep = size.porep();
            assert_eq!((porep.porep_id[0], &porep.porep_id[1..]), (id, &[0; 31][..]), "{size:?}");
            assert_eq!(u64::from(porep.sector_size), size.bytes());
            assert!(porep.api_version == ApiVersion::V1_1_0 && porep.api_features.is_empty());
            assert_eq!(size.winning_post().challenge_count, 66);
        }
    }

    #[test]
    fn file_names() {
        assert_eq!(Size::GiB32.label_files().len(), 12);
        assert_eq!(Size::GiB32.retained_files().len(), 11);
        assert_eq!(Size::GiB32.proving_files().len(), 11 + 12 + 8);
        assert_eq!(Size::KiB2.proving_files().last().unwrap(), "sc-02-data-tree-c.dat");
        assert_eq!(Size::GiB64.retained_files().last().unwrap(), "sc-02-data-tree-r-last-15.dat");
        assert_eq!(Size::KiB2.retained_files().last().unwrap(), "sc-02-data-tree-r-last.dat");
    }
}
