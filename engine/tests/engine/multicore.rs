//! P1 on several cores computes what it computes on one, whichever of them began.

use crate::common::*;
use serde_json::{json, Value};
use std::fs;
use std::process::Command;

/// On one core for 0 producers.
fn with_producers(producers: usize) -> impl Fn(&mut Value) {
    move |job| {
        job["size"] = json!("8MiB");
        job["producers"] = json!(producers);
    }
}

fn label_cores(result: &Value) -> u64 {
    result["facts"]["labelCores"].as_u64().unwrap()
}

#[test]
fn labels_are_those_of_a_single_core() {
    let sector = Sector::new();
    let single = sector.run_ok("1/P1-1", with_producers(0));
    let multi = sector.run_ok("1/P1-2", with_producers(2));
    assert_eq!((label_cores(&single), label_cores(&multi)), (1, 3));
    assert_eq!(single["outputs"], multi["outputs"]);
    // Known since the engine computed labels with the library's own SHA-256, on one core.
    assert!(digest(&single, "sc-02-data-layer-2.dat").starts_with("d8156c8ba27660a3cc463936"));
    // The last one begins where the other way ended after layer 1.
    for (earlier, attempt, producers) in [("P1-2", "2/P1-1", 0), ("P1-1", "3/P1-1", 1)] {
        keep_recorded(&sector, earlier, 2);
        let earlier = format!("../../1/{earlier}");
        let resumed = sector.run_ok(attempt, |job| {
            with_producers(producers)(job);
            job["earlier"] = json!([earlier]);
        });
        assert_eq!(resumed["outputs"], single["outputs"], "{producers} producers");
    }
}

/// Changes a finished attempt to look as if its engine was killed after recording so many files.
fn keep_recorded(sector: &Sector, attempt: &str, recorded: usize) {
    let dir = sector.at("1").join(attempt);
    let path = dir.join("layers.json");
    let mut layers = read(&path);
    layers["files"].as_array_mut().unwrap().truncate(recorded);
    fs::write(path, layers.to_string()).unwrap();
    fs::remove_file(dir.join("result.json")).unwrap();
}

/// The `labelCores` of a 2 KiB sector.
fn cores_used(change: impl Fn(&mut Value), prepare: impl Fn(&mut Command)) -> u64 {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", change);
    let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
    prepare(&mut command);
    let exited = wait_for_exit(command.spawn().unwrap());
    assert_eq!(exited.code, Some(0), "{}", exited.stderr);
    label_cores(&read(&attempt.join("result.json")))
}

#[test]
fn the_operators_variables_win() {
    let two = |job: &mut Value| job["producers"] = json!(2);
    let with = |name: &'static str, value: &'static str| {
        move |command: &mut Command| {
            command.env(name, value);
        }
    };
    assert_eq!(cores_used(two, |_| ()), 3);
    assert_eq!(cores_used(two, with("FIL_PROOFS_USE_MULTICORE_SDR", "0")), 1);
    assert_eq!(cores_used(two, with("fil_proofs_use_multicore_sdr", "off")), 1);
    assert_eq!(cores_used(two, with("FIL_PROOFS_MULTICORE_SDR_PRODUCERS", "1")), 2);
    // The library would wait for producers forever.
    assert_eq!(cores_used(two, with("FIL_PROOFS_MULTICORE_SDR_PRODUCERS", "0")), 1);
}

#[test]
fn a_single_cpu_is_no_place_for_producers() {
    let cpu = first_cpu();
    assert_eq!(cores_used(|job| job["cores"] = json!([cpu]), |_| ()), 1);
}

/// A CPU that this process may use.
fn first_cpu() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    list.trim().split([',', '-']).next().unwrap().parse().unwrap()
}
