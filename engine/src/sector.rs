//! The identity of a sector: `t01000/7` is sector 7 of the miner with actor ID 1000.

use filecoin_proofs::ProverId;
use serde::{Deserialize, Deserializer};
use std::str::FromStr;
use storage_proofs_core::sector::SectorId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sector {
    pub name: String,
    pub actor: u64,
    pub number: u64,
}

impl Sector {
    /// The payload of the miner's ID address (the actor ID as LEB128), padded with zeros, as lotus passes it
    /// (filecoin-ffi `toProverID`).
    pub fn prover_id(&self) -> ProverId {
        let mut id = [0; 32];
        let mut rest = self.actor;
        for byte in &mut id {
            *byte = (rest & 0x7f) as u8;
            rest >>= 7;
            if rest == 0 {
                break;
            }
            *byte |= 0x80;
        }
        id
    }

    /// `s-t01000-7`, even if the name begins with `f`.
    pub fn file_name(&self) -> String {
        format!("s-t0{}-{}", self.actor, self.number)
    }

    pub fn id(&self) -> SectorId {
        SectorId::from(self.number)
    }
}

impl FromStr for Sector {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let wrong = || format!("{name:?} is not a sector: expected a miner and a number, like t01000/7");
        let (miner, number) = name.split_once('/').ok_or_else(wrong)?;
        let actor = miner.strip_prefix("t0").or_else(|| miner.strip_prefix("f0")).ok_or_else(wrong)?;
        match (parse_number(actor), parse_number(number)) {
            (Some(actor), Some(number)) => Ok(Sector { name: name.to_owned(), actor, number }),
            _ => Err(wrong()),
        }
    }
}

/// Parses digits without sign or leading zeros, so that each sector has only one name.
fn parse_number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

impl<'de> Deserialize<'de> for Sector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prover(name: &str) -> Vec<u8> {
        let id = name.parse::<Sector>().unwrap().prover_id();
        let end = id.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        id[..end].to_vec()
    }

    #[test]
    fn prover_id_is_the_leb128_of_the_actor() {
        assert_eq!(prover("t01000/7"), [0xe8, 0x07]);
        assert_eq!(prover("f0127/0"), [0x7f]);
        assert_eq!(prover("t0128/1"), [0x80, 0x01]);
        assert_eq!(prover(&format!("t0{}/1", u64::MAX)).len(), 10);
    }

    #[test]
    fn file_name() {
        assert_eq!("f01000/7".parse::<Sector>().unwrap().file_name(), "s-t01000-7");
    }

    #[test]
    fn invalid_names_are_rejected() {
        for wrong in [
            "",
            "t01000",
            "1000/7",
            "t11000/7",
            "t0/7",
            "t01000/",
            "t01000/-7",
            "t01000/07",
            "t0010/7",
            "t01000/+7",
            "t01000/18446744073709551616",
        ] {
            assert!(wrong.parse::<Sector>().is_err(), "{wrong}");
        }
    }
}
