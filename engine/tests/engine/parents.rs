//! P1 uses only a parent cache that is complete and right.

use crate::common::*;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The cache that has been published.
fn cache(sector: &Sector) -> PathBuf {
    let parents = sector.path("parents");
    let name = names(&parents).into_iter().find(|name| name.ends_with(".cache")).unwrap();
    parents.join(name)
}

/// Runs four engines at once, each in a sector directory of its own, as epochs of one sector would supersede each other.
/// Returns their outputs, which are the same.
fn run_four(sector: &Sector, epoch: u64) -> Value {
    let attempts: Vec<_> = (100..104)
        .map(|number| {
            let own = sector.path(&format!("cache/s-t01000-{number}/{epoch}/P1-1"));
            fs::create_dir_all(own.parent().unwrap()).unwrap();
            fs::rename(sector.attempt(&format!("{epoch}/P1-1"), |_| ()), &own).unwrap();
            (sector.command(&["run", own.to_str().unwrap()]).spawn().unwrap(), own)
        })
        .collect();
    let mut outputs = attempts.into_iter().map(|(child, attempt)| {
        let exited = wait_for_exit(child);
        assert_eq!(exited.code, Some(0), "{}", exited.stderr);
        read(&attempt.join("result.json"))["outputs"].clone()
    });
    let first = outputs.next().unwrap();
    assert!(outputs.all(|other| other == first));
    first
}

#[test]
fn a_parent_cache_without_a_record_is_not_used() {
    let sector = Sector::new();
    let right = sector.run_ok("1/P1-1", |_| ());
    let parents = sector.path("parents");
    let cache = cache(&sector);
    let len = fs::metadata(&cache).unwrap().len() as usize;

    // The state after a process was killed while generating the cache: full length, wrong bytes, no record.
    let record = parents.join("sealflow-parents-2KiB.json");
    fs::remove_file(&record).unwrap();
    fs::write(&cache, vec![0; len]).unwrap();
    let leftover = parents.join(".making-parents-2KiB-1");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join(cache.file_name().unwrap()), vec![0; len]).unwrap();

    let again = sector.run_ok("1/P1-2", |_| ());
    assert_eq!(right["outputs"], again["outputs"]);
    assert!(!leftover.exists());
    assert!(record.exists());
}

#[test]
fn concurrent_engines_generate_one_parent_cache() {
    let sector = Sector::new();
    let first = run_four(&sector, 1);
    let caches = names(&sector.path("parents")).into_iter().filter(|name| name.ends_with(".cache")).count();
    assert_eq!(caches, 1);
    // Also if they all find a corrupt one.
    flip_byte(&cache(&sector));
    assert_eq!(run_four(&sector, 2), first);
}

#[test]
fn a_corrupt_parent_cache_is_replaced() {
    let sector = Sector::new();
    let right = sector.run_ok("1/P1-1", |_| ());
    let inode = || fs::metadata(cache(&sector)).unwrap().ino();
    let first = inode();
    sector.run_ok("1/P1-2", |_| ());
    assert_eq!(inode(), first, "an intact one is kept");

    // Whatever the environment says; the library ignores the case of the name.
    for (i, variable) in ["FIL_PROOFS_VERIFY_CACHE", "fil_proofs_verify_cache"].into_iter().enumerate() {
        flip_byte(&cache(&sector));
        let attempt = sector.attempt(&format!("2/P1-{}", i + 1), |_| ());
        let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
        let exited = wait_for_exit(command.env(variable, "0").spawn().unwrap());
        assert_eq!(exited.code, Some(0), "{}", exited.stderr);
        assert_eq!(read(&attempt.join("result.json"))["outputs"], right["outputs"], "{variable}");
        assert!(exited.stderr.contains(&format!("{variable}=0 has no effect")), "{}", exited.stderr);
        // The library would generate it in place, and a process killed meanwhile would leave half of it.
        assert!(!exited.stderr.contains("Parent cache digest mismatch"), "{}", exited.stderr);
    }
}
