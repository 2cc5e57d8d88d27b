//! The names of the parameter files.

use crate::failure::{Failure, Outcome};
use crate::sizes::Size;
use storage_proofs_core::parameter_cache::{parameter_id, verifying_key_id};

/// Names of the parameter files of one size.
pub struct Files {
    pub params: String,
    pub vk: String,
}

impl Files {
    pub fn of(size: Size) -> Outcome<Files> {
        let id = size.circuit_identifier().map_err(|error| Failure::library("naming the parameters", &error))?;
        Ok(Files { params: parameter_id(&id), vk: verifying_key_id(&id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage_proofs_core::parameter_cache::get_parameter_data_from_id;

    #[test]
    fn the_library_lists_the_published_files() {
        for size in [Size::GiB32, Size::GiB64] {
            let files = Files::of(size).unwrap();
            for name in [files.params, files.vk] {
                assert_eq!(get_parameter_data_from_id(&name).expect(&name).sector_size, size.bytes());
            }
        }
    }
}
