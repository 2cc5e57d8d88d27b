//! P1 goes on from what earlier attempts have finished, and from nothing else.

use crate::common::*;
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const FILES: [&str; 3] = ["sc-02-data-tree-d.dat", "sc-02-data-layer-1.dat", "sc-02-data-layer-2.dat"];

fn ino(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

/// Which of the files of `attempt` are hard links to those of `earlier`.
fn linked(sector: &Sector, attempt: &str, earlier: &str) -> [bool; 3] {
    let (attempt, earlier) = (sector.at(attempt), sector.at(earlier));
    FILES.map(|name| earlier.join(name).exists() && ino(&attempt.join(name)) == ino(&earlier.join(name)))
}

/// Leaves an attempt as an engine does that is killed when `recorded` files are recorded: without a result, with more
/// on disk.
fn cut_off(sector: &Sector, attempt: &str, recorded: usize) {
    let dir = sector.at(attempt);
    fs::remove_file(dir.join("result.json")).unwrap();
    let path = dir.join("layers.json");
    let mut layers = read(&path);
    layers["files"].as_array_mut().unwrap().truncate(recorded);
    fs::write(path, layers.to_string()).unwrap();
}

fn after(earlier: &'static [&'static str]) -> impl Fn(&mut Value) {
    move |job| job["earlier"] = json!(earlier)
}

#[test]
fn an_empty_sector() {
    let sector = Sector::new();
    let result = sector.done("1/P1-1", |_| ());
    let dir = sector.at("1/P1-1");
    assert_eq!(result["v"], 1);
    assert_eq!(result["inputHash"], INPUT);
    // commD of 2032 zero bytes, as every implementation has it.
    assert_eq!(result["outputs"]["commD"], "fc7e928296e516faade986b28f92d44a4f24b935485223376a799027bc18f833");
    for name in FILES.iter().chain(&["phase1.json"]) {
        assert_eq!(digest(&result, name), blake3(&dir.join(name)), "{name}");
    }
    let layers = read(&dir.join("layers.json"));
    assert_eq!(layers["inputHash"], INPUT);
    let outputs = result["outputs"]["files"].as_array().unwrap();
    assert_eq!(layers["files"].as_array().unwrap()[..], outputs[..3]);
    let kept = ["job.json", "layers.json", "phase1.json", "progress.json", "result.json", FILES[1], FILES[2], FILES[0]];
    assert_eq!(names(&dir), kept, "and neither temporary files nor a replica");
    let last = progress(&dir).unwrap();
    assert_eq!((last["fraction"].as_f64(), last["host"].as_str()), (Some(1.0), Some("10.0.0.1")));
    for fact in ["seconds", "cpuSeconds", "peakRssBytes", "engine", "proofs", "host", "startedAt", "endedAt"] {
        assert!(!result["facts"][fact].is_null(), "{fact}");
    }
}

#[test]
fn the_same_input_gives_the_same_outputs() {
    let sector = Sector::new();
    let first = sector.done("1/P1-1", |_| ());
    let second = sector.done("1/P1-2", |_| ());
    let other = sector.done("1/P1-3", |job| job["ticket"] = json!("03".repeat(32)));
    assert_eq!(first["outputs"], second["outputs"]);
    assert_ne!(digest(&first, FILES[1]), digest(&other, FILES[1]));
}

#[test]
fn goes_on_from_what_was_recorded() {
    for recorded in 0..=3 {
        let sector = Sector::new();
        let first = sector.done("1/P1-1", |_| ());
        cut_off(&sector, "1/P1-1", recorded);
        let second = sector.done("1/P1-2", after(&["../P1-1"]));
        assert_eq!(first["outputs"], second["outputs"]);
        assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [0, 1, 2].map(|i| i < recorded), "{recorded} recorded");
    }
}

#[test]
fn a_flipped_byte_ends_the_chain() {
    for (flipped, name) in FILES.iter().enumerate() {
        let sector = Sector::new();
        let first = sector.done("1/P1-1", |_| ());
        cut_off(&sector, "1/P1-1", 3);
        flip(&sector.at("1/P1-1").join(name));
        let second = sector.done("1/P1-2", after(&["../P1-1"]));
        assert_eq!(first["outputs"], second["outputs"]);
        assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [0, 1, 2].map(|i| i < flipped), "{name} flipped");
    }
}

#[test]
fn a_missing_file_ends_the_chain() {
    let sector = Sector::new();
    let first = sector.done("1/P1-1", |_| ());
    cut_off(&sector, "1/P1-1", 3);
    fs::remove_file(sector.at("1/P1-1").join(FILES[1])).unwrap();
    let second = sector.done("1/P1-2", after(&["../P1-1"]));
    assert_eq!(first["outputs"], second["outputs"]);
    assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [true, false, false]);
}

#[test]
fn what_was_recorded_for_another_input_is_worth_nothing() {
    let sector = Sector::new();
    sector.done("1/P1-1", |job| {
        job["ticket"] = json!("09".repeat(32));
        job["inputHash"] = json!("cd".repeat(32));
    });
    cut_off(&sector, "1/P1-1", 3);
    let second = sector.done("1/P1-2", after(&["../P1-1"]));
    assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [false; 3]);
    let alone = sector.done("1/P1-3", |_| ());
    assert_eq!(second["outputs"], alone["outputs"]);
}

#[test]
fn records_that_cannot_be_used() {
    let sector = Sector::new();
    let first = sector.done("1/P1-1", |_| ());
    cut_off(&sector, "1/P1-1", 3);
    let path = sector.at("1/P1-1/layers.json");
    let mut swapped = read(&path);
    swapped["files"].as_array_mut().unwrap().swap(0, 1);
    let mut newer = read(&path);
    newer["v"] = json!(2);
    let mut outside = read(&path);
    outside["files"][0]["name"] = json!("../../1/P1-1/sc-02-data-tree-d.dat");
    for (i, text) in ["{", "", &swapped.to_string(), &newer.to_string(), &outside.to_string()].iter().enumerate() {
        fs::write(&path, text).unwrap();
        let attempt = format!("1/P1-{}", i + 2);
        let next = sector.done(&attempt, after(&["../P1-1", "../P1-99"]));
        assert_eq!(first["outputs"], next["outputs"]);
        assert_eq!(linked(&sector, &attempt, "1/P1-1"), [false; 3], "{text}");
        fs::rename(sector.at(&attempt), sector.at(&format!("1/gone-P1-{}", i + 2))).unwrap();
    }
}

#[test]
fn takes_the_longest_good_chain() {
    let sector = Sector::new();
    sector.done("1/P1-1", |_| ());
    sector.done("1/P1-2", |_| ());
    sector.done("1/P1-3", |_| ());
    cut_off(&sector, "1/P1-1", 2);
    cut_off(&sector, "1/P1-2", 3);
    cut_off(&sector, "1/P1-3", 1);
    // The longest one has gone bad early.
    flip(&sector.at("1/P1-2").join(FILES[1]));
    let next = sector.done("2/P1-1", after(&["../../1/P1-3", "../../1/P1-2", "../../1/P1-1"]));
    assert_eq!(linked(&sector, "2/P1-1", "1/P1-1"), [true, true, false]);
    assert_eq!(digest(&next, FILES[2]), blake3(&sector.at("1/P1-2").join(FILES[2])));
}

#[test]
fn a_spoiled_parent_cache_is_not_used() {
    let sector = Sector::new();
    let right = sector.done("1/P1-1", |_| ());
    let parents = sector.path("parents");
    let cache = names(&parents).into_iter().find(|name| name.ends_with(".cache")).unwrap();
    let len = fs::metadata(parents.join(&cache)).unwrap().len() as usize;

    // What a run that was killed while it made the cache leaves behind: full length, wrong bytes, no note.
    let note = parents.join("sealflow-parents-2KiB.json");
    fs::remove_file(&note).unwrap();
    fs::write(parents.join(&cache), vec![0; len]).unwrap();
    let left = parents.join(".making-parents-2KiB-1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join(&cache), vec![0; len]).unwrap();

    let again = sector.done("1/P1-2", |_| ());
    assert_eq!(right["outputs"], again["outputs"]);
    assert!(!left.exists());
    assert!(note.exists());
}

#[test]
fn many_at_once_make_one_parent_cache() {
    let sector = Sector::new();
    let attempts: Vec<_> = (1..=4).map(|epoch| sector.attempt(&format!("{epoch}/P1-1"), |_| ())).collect();
    // Each in a sector directory of its own: epochs of one sector would supersede each other.
    let children: Vec<_> = attempts
        .iter()
        .enumerate()
        .map(|(i, attempt)| {
            let home = sector.path(&format!("cache/s-t01000-{}/1", i + 100));
            fs::create_dir_all(&home).unwrap();
            let own = home.join("P1-1");
            fs::rename(attempt, &own).unwrap();
            sector.command(&["run", own.to_str().unwrap()]).spawn().unwrap()
        })
        .collect();
    for child in children {
        let ended = ended(child);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let caches = names(&sector.path("parents")).into_iter().filter(|name| name.ends_with(".cache")).count();
    assert_eq!(caches, 1);
}

#[test]
fn a_parent_cache_that_went_bad_is_made_again() {
    let sector = Sector::new();
    let right = sector.done("1/P1-1", |_| ());
    let parents = sector.path("parents");
    let cache = names(&parents).into_iter().find(|name| name.ends_with(".cache")).unwrap();
    flip(&parents.join(cache));
    let again = sector.done("1/P1-2", |_| ());
    assert_eq!(right["outputs"], again["outputs"]);
}

#[test]
fn a_panic_of_the_library() {
    let sector = Sector::new();
    sector.done("1/P1-1", |_| ());
    let attempt = sector.attempt("1/P1-2", |_| ());
    // The library unwraps its settings.
    let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
    let ended = ended(command.env("FIL_PROOFS_ROWS_TO_DISCARD", "nonsense").spawn().unwrap());
    assert_eq!(ended.code, Some(101), "{}", ended.stderr);
    let error = read(&attempt.join("error.json"));
    assert_eq!((error["type"].as_str(), error["exit"].as_i64()), (Some("Panic"), Some(101)));
    assert!(error["message"].as_str().unwrap().contains("invalid configuration"), "{error}");
}
