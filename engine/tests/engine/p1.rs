//! P1 reuses the files that earlier attempts have recorded, and nothing else.

use crate::common::*;
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const FILES: [&str; 3] = ["sc-02-data-tree-d.dat", "sc-02-data-layer-1.dat", "sc-02-data-layer-2.dat"];

fn ino(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

/// Which files of `attempt` are hard links to those of `earlier`.
fn linked(sector: &Sector, attempt: &str, earlier: &str) -> [bool; 3] {
    let (attempt, earlier) = (sector.at(attempt), sector.at(earlier));
    FILES.map(|name| earlier.join(name).exists() && ino(&attempt.join(name)) == ino(&earlier.join(name)))
}

/// Changes a finished attempt to look as if its engine was killed after recording `recorded` files.
fn simulate_kill(sector: &Sector, attempt: &str, recorded: usize) {
    let dir = sector.at(attempt);
    fs::remove_file(dir.join("result.json")).unwrap();
    let path = dir.join("layers.json");
    let mut layers = read(&path);
    layers["files"].as_array_mut().unwrap().truncate(recorded);
    fs::write(path, layers.to_string()).unwrap();
}

fn with_earlier(earlier: &'static [&'static str]) -> impl Fn(&mut Value) {
    move |job| job["earlier"] = json!(earlier)
}

#[test]
fn outputs_of_an_empty_sector() {
    let sector = Sector::new();
    let result = sector.run_ok("1/P1-1", |_| ());
    let dir = sector.at("1/P1-1");
    assert_eq!(result["v"], 1);
    assert_eq!(result["inputHash"], INPUT_HASH);
    // The well-known commD of 2032 zero bytes.
    assert_eq!(result["outputs"]["commD"], "fc7e928296e516faade986b28f92d44a4f24b935485223376a799027bc18f833");
    for name in FILES.iter().chain(&["phase1.json"]) {
        assert_eq!(digest(&result, name), blake3(&dir.join(name)), "{name}");
    }
    let layers = read(&dir.join("layers.json"));
    assert_eq!(layers["inputHash"], INPUT_HASH);
    let outputs = result["outputs"]["files"].as_array().unwrap();
    assert_eq!(layers["files"].as_array().unwrap()[..], outputs[..3]);
    let expected =
        ["job.json", "layers.json", "phase1.json", "progress.json", "result.json", FILES[1], FILES[2], FILES[0]];
    assert_eq!(names(&dir), expected, "no temporary files and no replica");
    let last = progress(&dir).unwrap();
    assert_eq!((last["fraction"].as_f64(), last["host"].as_str()), (Some(1.0), Some("10.0.0.1")));
    for fact in ["seconds", "cpuSeconds", "peakRssBytes", "engine", "proofs", "host", "startedAt", "endedAt"] {
        assert!(!result["facts"][fact].is_null(), "{fact}");
    }
}

#[test]
fn the_same_input_gives_the_same_outputs() {
    let sector = Sector::new();
    let first = sector.run_ok("1/P1-1", |_| ());
    let second = sector.run_ok("1/P1-2", |_| ());
    let other = sector.run_ok("1/P1-3", |job| job["ticket"] = json!("03".repeat(32)));
    assert_eq!(first["outputs"], second["outputs"]);
    assert_ne!(digest(&first, FILES[1]), digest(&other, FILES[1]));
}

#[test]
fn recorded_files_are_reused() {
    for recorded in 0..=3 {
        let sector = Sector::new();
        let first = sector.run_ok("1/P1-1", |_| ());
        simulate_kill(&sector, "1/P1-1", recorded);
        let second = sector.run_ok("1/P1-2", with_earlier(&["../P1-1"]));
        assert_eq!(first["outputs"], second["outputs"]);
        assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [0, 1, 2].map(|i| i < recorded), "{recorded} recorded");
    }
}

#[test]
fn a_changed_file_ends_the_chain() {
    for (flipped, name) in FILES.iter().enumerate() {
        let sector = Sector::new();
        let first = sector.run_ok("1/P1-1", |_| ());
        simulate_kill(&sector, "1/P1-1", 3);
        flip_byte(&sector.at("1/P1-1").join(name));
        let second = sector.run_ok("1/P1-2", with_earlier(&["../P1-1"]));
        assert_eq!(first["outputs"], second["outputs"]);
        assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [0, 1, 2].map(|i| i < flipped), "{name} flipped");
    }
}

#[test]
fn a_missing_file_ends_the_chain() {
    let sector = Sector::new();
    let first = sector.run_ok("1/P1-1", |_| ());
    simulate_kill(&sector, "1/P1-1", 3);
    fs::remove_file(sector.at("1/P1-1").join(FILES[1])).unwrap();
    let second = sector.run_ok("1/P1-2", with_earlier(&["../P1-1"]));
    assert_eq!(first["outputs"], second["outputs"]);
    assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [true, false, false]);
}

#[test]
fn files_of_another_input_are_not_reused() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |job| {
        job["ticket"] = json!("09".repeat(32));
        job["inputHash"] = json!("cd".repeat(32));
    });
    simulate_kill(&sector, "1/P1-1", 3);
    let second = sector.run_ok("1/P1-2", with_earlier(&["../P1-1"]));
    assert_eq!(linked(&sector, "1/P1-2", "1/P1-1"), [false; 3]);
    let alone = sector.run_ok("1/P1-3", |_| ());
    assert_eq!(second["outputs"], alone["outputs"]);
}

#[test]
fn invalid_records_are_ignored() {
    let sector = Sector::new();
    let first = sector.run_ok("1/P1-1", |_| ());
    simulate_kill(&sector, "1/P1-1", 3);
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
        let next = sector.run_ok(&attempt, with_earlier(&["../P1-1", "../P1-99"]));
        assert_eq!(first["outputs"], next["outputs"]);
        assert_eq!(linked(&sector, &attempt, "1/P1-1"), [false; 3], "{text}");
        fs::rename(sector.at(&attempt), sector.at(&format!("1/gone-P1-{}", i + 2))).unwrap();
    }
}

#[test]
fn the_longest_valid_chain_is_reused() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P1-2", |_| ());
    sector.run_ok("1/P1-3", |_| ());
    simulate_kill(&sector, "1/P1-1", 2);
    simulate_kill(&sector, "1/P1-2", 3);
    simulate_kill(&sector, "1/P1-3", 1);
    // The longest chain is corrupt at its second file.
    flip_byte(&sector.at("1/P1-2").join(FILES[1]));
    let next = sector.run_ok("2/P1-1", with_earlier(&["../../1/P1-3", "../../1/P1-2", "../../1/P1-1"]));
    assert_eq!(linked(&sector, "2/P1-1", "1/P1-1"), [true, true, false]);
    assert_eq!(digest(&next, FILES[2]), blake3(&sector.at("1/P1-2").join(FILES[2])));
}

#[test]
fn a_panic_of_the_library_is_reported() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    let attempt = sector.attempt("1/P1-2", |_| ());
    // The library panics on invalid settings.
    let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
    let exited = wait_for_exit(command.env("FIL_PROOFS_ROWS_TO_DISCARD", "nonsense").spawn().unwrap());
    assert_eq!(exited.code, Some(101), "{}", exited.stderr);
    let error = read(&attempt.join("error.json"));
    assert_eq!((error["type"].as_str(), error["exit"].as_i64()), (Some("Panic"), Some(101)));
    assert!(error["message"].as_str().unwrap().contains("invalid configuration"), "{error}");
}
