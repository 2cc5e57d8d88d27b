//! The environment variables that the library reads, once, when it first needs them: the directories of parameters and
//! parent caches, whether to verify the latter, and how to compute labels. It ignores the case of their names.

use crate::failure::{IoContext, Outcome};
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub const PARAMETER_CACHE: &str = "FIL_PROOFS_PARAMETER_CACHE";
const VERIFY_CACHE: &str = "FIL_PROOFS_VERIFY_CACHE";
pub const PARENT_CACHE: &str = "FIL_PROOFS_PARENT_CACHE";
/// What [`ignored_verify_cache`] returns.
static IGNORED: OnceLock<String> = OnceLock::new();

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
    let given = |(name, value): &(OsString, OsString)| name.eq_ignore_ascii_case(VERIFY_CACHE) && !is_on(value);
    if let Some((name, value)) = env::vars_os().find(given) {
        let _ = IGNORED.set(format!("{}={}", name.display(), value.display()));
    }
    env::set_var(VERIFY_CACHE, "1");
    // Of two spellings, the library would use either.
    for (name, _) in env::vars_os() {
        let is_ours = |ours: &str| name.eq_ignore_ascii_case(ours) && name != ours;
        if [PARAMETER_CACHE, PARENT_CACHE, VERIFY_CACHE].into_iter().any(is_ours) {
            env::remove_var(name);
        }
    }
    Ok(())
}

/// `FIL_PROOFS_VERIFY_CACHE=0` or the like, if it was set. It has no effect: a corrupt byte in the parent cache would
/// ruin every later sector, and no other check is sure to find it.
pub fn ignored_verify_cache() -> Option<&'static str> {
    IGNORED.get().map(String::as_str)
}

/// Tells the library that the parent cache has been verified. If it found a wrong one itself, it would generate it again
/// in place, and the next process would find a half-written cache of the right length.
pub fn set_cache_verified() {
    env::set_var(VERIFY_CACHE, "0");
}

/// The value of a variable of the library in whatever spelling, if it is set and not empty.
pub fn given(variable: &str) -> Option<OsString> {
    let is_given = |(name, value): &(OsString, OsString)| name.eq_ignore_ascii_case(variable) && !value.is_empty();
    env::vars_os().find(is_given).map(|(_, value)| value)
}

/// Sets a variable of the library, and removes other spellings of it, of which the library would use either.
pub fn set(variable: &str, value: &str) {
    for (name, _) in env::vars_os() {
        if name.eq_ignore_ascii_case(variable) {
            env::remove_var(name);
        }
    }
    env::set_var(variable, value);
}

/// Whether the library takes this value for true. Empty is unset.
pub fn is_on(value: &OsStr) -> bool {
    ["", "1", "true", "on", "yes"].into_iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// The directory of the proof parameters.
pub fn parameter_dir() -> PathBuf {
    PathBuf::from(env::var_os(PARAMETER_CACHE).unwrap_or_default())
}

/// The directory of the parent caches.
pub fn parent_cache_dir() -> PathBuf {
    PathBuf::from(env::var_os(PARENT_CACHE).unwrap_or_default())
}
