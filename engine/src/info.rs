//! `sealflow-engine info`: versions, features, and which parameters are present.

use crate::environment;
use crate::labels;
use crate::params;
use crate::sizes::Size;
use serde_json::{json, Map, Value};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Version of filecoin-proofs, as pinned in Cargo.lock.
pub const PROOFS: &str = "19.1.0";

/// Prints one JSON object, with all sizes or only one.
pub fn run(only: Option<Size>) {
    let sizes: Map<String, Value> = Size::ALL
        .into_iter()
        .filter(|size| only.is_none_or(|only| only == *size))
        .map(|size| (size.name().to_owned(), facts_of(size)))
        .collect();
    println!(
        "{}",
        json!({
            "v": 1, "version": VERSION, "proofs": PROOFS, "cuda": cfg!(feature = "cuda"), "shaNi": has_sha_ni(),
            "multicoreSdr": labels::MULTICORE,
            "parameterDir": environment::parameter_dir(), "sizes": sizes,
        })
    );
}

/// Parameters that are there and of no use are told with the reason.
fn facts_of(size: Size) -> Value {
    let looked = params::look(size);
    let mut facts = json!({ "parameters": looked.is_ok(), "partitions": size.partitions(), "layers": size.layers() });
    if let (Err(failure), true) = (looked, params::exist(size)) {
        facts["unusable"] = json!(failure.to_string());
    }
    facts
}

/// Without SHA extensions P1 takes ten times as long.
fn has_sha_ni() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[cfg(test)]
mod tests {
    #[test]
    fn proofs_version_matches_the_lock_file() {
        let lock = include_str!("../Cargo.lock");
        assert!(lock.contains(&format!("name = \"filecoin-proofs\"\nversion = \"{}\"", super::PROOFS)));
    }
}
