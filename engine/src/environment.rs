//! The environment variables that the library reads, once, when it first needs them: the directories of parameters and
//! parent caches, and whether to verify the latter.

use crate::failure::{IoContext, Outcome};
use std::env;
use std::path::{Path, PathBuf};

pub const PARAMETER_CACHE: &str = "FIL_PROOFS_PARAMETER_CACHE";
const VERIFY_CACHE: &str = "FIL_PROOFS_VERIFY_CACHE";
pub const PARENT_CACHE: &str = "FIL_PROOFS_PARENT_CACHE";

/// Sets the variables to what the library should use. It must be called before the library is first used. The
/// directories become absolute, as the working directory changes later. The defaults are the library's
/// (storage-proofs-core `settings.rs`).
pub fn init() -> Outcome<()> {
    let cache = env::var("FIL_PROOFS_CACHE_DIR").unwrap_or_else(|_| "/var/tmp/".to_owned());
    for (variable, default) in
        [(PARAMETER_CACHE, "/var/tmp/filecoin-proof-parameters".to_owned()), (PARENT_CACHE, cache + "filecoin-parents")]
    {
        let set = env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or(default.into());
        let path = std::path::absolute(Path::new(&set)).context(variable)?;
        env::set_var(variable, path);
    }
    // A corrupt byte in the parent cache would ruin every later sector, and no other check finds it. Verifying takes
    // minutes of a phase that takes hours; `FIL_PROOFS_VERIFY_CACHE=0` turns it off.
    if env::var_os(VERIFY_CACHE).is_none() {
        env::set_var(VERIFY_CACHE, "1");
    }
    Ok(())
}

/// The directory of the proof parameters.
pub fn parameter_dir() -> PathBuf {
    PathBuf::from(env::var_os(PARAMETER_CACHE).unwrap_or_default())
}

/// The directory of the parent caches.
pub fn parent_cache_dir() -> PathBuf {
    PathBuf::from(env::var_os(PARENT_CACHE).unwrap_or_default())
}
