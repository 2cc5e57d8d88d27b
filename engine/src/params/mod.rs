//! Groth16 proof parameters. For test sizes the engine generates them. Those of 32GiB and 64GiB are published, as they
//! come from the trusted setup; the engine only checks them.

mod circuit;
mod digest;
mod domain;
mod file;
#[cfg(test)]
mod file_tests;
mod fixed_base;
mod generate;
mod generator;
mod lines;
mod names;
mod note;
mod published;

use self::file::{Compared, ParameterFile};
use self::lines::{print_line, print_step};
use self::names::Files;
use self::published::PublishedFile;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::publish_lock::PublishLock;
use crate::sizes::Size;
use serde_json::json;
use std::path::PathBuf;

/// The path of the verifying key of `size`, which is read and compared with its digest. Fails with `MissingParameters` if
/// it is not there or is damaged. An I/O error is a passing fault.
pub fn require_verifying_key(size: Size) -> Outcome<PathBuf> {
    let key = ParameterFile::key(size)?;
    key.compare()?;
    Ok(key.path)
}

/// Fails with `MissingParameters` unless all parameters of `size` are there and whole. The `.params` file is read only if
/// it may have changed since it was right.
pub fn require(size: Size) -> Outcome<()> {
    require_verifying_key(size)?;
    ParameterFile::params(size)?.check()
}

/// Like [`require`], but the `.params` file is never read: what is known of it counts.
pub fn look(size: Size) -> Outcome<()> {
    require_verifying_key(size)?;
    ParameterFile::params(size)?.look()
}

/// Whether there are files of all parameters of `size`, even damaged ones.
pub fn exist(size: Size) -> bool {
    [ParameterFile::key(size), ParameterFile::params(size)]
        .iter()
        .all(|file| file.as_ref().is_ok_and(ParameterFile::exists))
}

/// What a failure of a proof is due to: damaged parameters, if there are any, whatever is recorded of them. Otherwise it
/// is the same failure.
pub fn suspect(size: Size, failure: Failure) -> Failure {
    log::warn!("{failure}; comparing the parameters with their digests");
    match compare_all(size) {
        Err(damaged) => damaged,
        Ok(unknown) if unknown.is_empty() => failure,
        Ok(unknown) => failure.and(format_args!(
            "whether the parameters are damaged cannot be told, as they were generated without a record: if this comes \
             back, delete {} in {} and run `sealflow setup --parameters {}`",
            unknown.join(" and "),
            environment::parameter_dir().display(),
            size.name()
        )),
    }
}

/// Reads and compares all parameters of `size`. Returns the names of those that cannot be compared.
fn compare_all(size: Size) -> Outcome<Vec<String>> {
    let mut unknown = Vec::new();
    for file in [ParameterFile::key(size)?, ParameterFile::params(size)?] {
        if file.compare()? == Compared::Unknown {
            unknown.push(file.name);
        }
    }
    Ok(unknown)
}

/// `sealflow-engine params <size> [--only-check]`: generates or checks the parameters of `size` and prints the
/// progress. With `only_check` all files are read and compared, whatever is recorded.
pub fn run(size: Size, only_check: bool) -> Outcome<()> {
    let dir = environment::parameter_dir();
    let mut done = json!({ "step": "done", "done": true, "dir": dir });
    if only_check {
        print_step("checking");
        done["unknown"] = json!(compare_all(size)?);
    } else if size.is_production() || exist(size) {
        print_step("checking");
        require(size)?;
    } else {
        print_step("waiting for another process that is generating the same parameters");
        let lock = PublishLock::acquire(&dir, &format!("params-{}", size.name()))?;
        if !exist(size) {
            generate::generate_in(&lock, size)?;
        }
    }
    print_line(&done);
    Ok(())
}

/// `sealflow-engine params <size> --list`: prints which published files a production size needs, and what is known of
/// those that exist. Nothing is hashed. Other sizes have none: `BadInput`.
pub fn list(size: Size) -> Outcome<()> {
    if !size.is_production() {
        return Err(Failure::BadInput(format!(
            "the parameters of {0} are not published ones: `sealflow-engine params {0}` generates them",
            size.name()
        )));
    }
    let dir = environment::parameter_dir();
    let Files { params, vk } = Files::of(size)?;
    // In the order in which they are published: `.params` last, so that a set with it is complete.
    let files = [vk, params].into_iter().map(|name| PublishedFile::find(name, &dir)).collect::<Outcome<Vec<_>>>()?;
    print_line(&json!({ "v": 1, "size": size.name(), "dir": dir, "files": files }));
    Ok(())
}
