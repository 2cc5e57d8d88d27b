//! Where parameters and parent caches lie. The library reads the same variables once, when it first needs them.

use crate::failure::{At, Outcome};
use std::env;
use std::path::{Path, PathBuf};

pub const PARAMETERS: &str = "FIL_PROOFS_PARAMETER_CACHE";
pub const PARENTS: &str = "FIL_PROOFS_PARENT_CACHE";

/// Fixes both directories as absolute paths in the environment, before the working directory changes. The defaults are the
/// library's (storage-proofs-core `settings.rs`).
pub fn fix() -> Outcome<()> {
    let cache = env::var("FIL_PROOFS_CACHE_DIR").unwrap_or_else(|_| "/var/tmp/".to_owned());
    for (variable, default) in
        [(PARAMETERS, "/var/tmp/filecoin-proof-parameters".to_owned()), (PARENTS, cache + "filecoin-parents")]
    {
        let set = env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or(default.into());
        let path = std::path::absolute(Path::new(&set)).at(variable)?;
        env::set_var(variable, path);
    }
    Ok(())
}

pub fn parameters() -> PathBuf {
    PathBuf::from(env::var_os(PARAMETERS).unwrap_or_default())
}

pub fn parents() -> PathBuf {
    PathBuf::from(env::var_os(PARENTS).unwrap_or_default())
}
