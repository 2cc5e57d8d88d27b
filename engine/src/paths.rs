//! Paths that come from the environment: where parameters and parent caches lie. The library reads the same variables once, when it first needs them.

use crate::failure::{IoContext, Outcome};
use std::env;
use std::path::{Path, PathBuf};

pub const PARAMETERS: &str = "FIL_PROOFS_PARAMETER_CACHE";
const VERIFY_PARENTS: &str = "FIL_PROOFS_VERIFY_CACHE";
pub const PARENTS: &str = "FIL_PROOFS_PARENT_CACHE";

/// Settles the library's environment before it is first used: both directories as absolute paths, as the working directory
/// changes. The defaults are the library's (storage-proofs-core `settings.rs`).
pub fn set_environment() -> Outcome<()> {
    let cache = env::var("FIL_PROOFS_CACHE_DIR").unwrap_or_else(|_| "/var/tmp/".to_owned());
    for (variable, default) in
        [(PARAMETERS, "/var/tmp/filecoin-proof-parameters".to_owned()), (PARENTS, cache + "filecoin-parents")]
    {
        let set = env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or(default.into());
        let path = std::path::absolute(Path::new(&set)).context(variable)?;
        env::set_var(variable, path);
    }
    // A byte that went bad in the parent cache would spoil every sector after it and is found nowhere else. Reading it costs
    // minutes in a phase that takes hours; `FIL_PROOFS_VERIFY_CACHE=0` saves them.
    if env::var_os(VERIFY_PARENTS).is_none() {
        env::set_var(VERIFY_PARENTS, "1");
    }
    Ok(())
}

pub fn parameters() -> PathBuf {
    PathBuf::from(env::var_os(PARAMETERS).unwrap_or_default())
}

pub fn parents() -> PathBuf {
    PathBuf::from(env::var_os(PARENTS).unwrap_or_default())
}
