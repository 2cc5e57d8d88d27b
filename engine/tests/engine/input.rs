//! What cannot be right is refused, before anything is computed.

use crate::common::*;
use serde_json::json;
use std::fs;

#[test]
fn a_job_that_cannot_be_right_ends_with_2() {
    let refused = |name: &str, key: &str, value: serde_json::Value, said: &str| {
        let sector = Sector::new();
        let error = sector.fails(name, 2, |job| job[key] = value.clone());
        assert_eq!(error["type"], "BadInput");
        assert!(error["message"].as_str().unwrap().contains(said), "{key}: {error}");
        assert!(!sector.at(name).join("progress.json").exists());
    };
    refused("1/P1-1", "v", json!(2), "v is 2");
    refused("1/P1-1", "ticket", json!("zz"), "64 hex digits");
    refused("1/P1-1", "inputHash", json!("ab"), "64 hex digits");
    refused("1/P1-1", "size", json!("3KiB"), "3KiB");
    refused("1/P1-1", "sector", json!("t1000/7"), "t1000/7");
    refused("1/P1-1", "phase", json!("P2"), "phase is P2");
    refused("1/P2-1", "inputs", json!({}), "needs inputs.P1");
    refused("1/P3-1", "seed", json!(null), "needs seed");
    refused("1/P4-1", "seed", json!("00".repeat(32)), "all zeros");
    refused("1/P5-1", "copy", json!(null), "needs copy");
    refused("1/P5-1", "copy", json!({ "node": "/x", "into": "../y" }), "copy.into");
    let shared = json!({ "limitBytesPerSec": 1, "path": "limit" });
    refused("1/P5-1", "copy", json!({ "node": "/x", "into": "y", "shared": shared }), "copy.shared.path");
    refused("1/P1-1", "cores", json!([]), "cores");
    refused("1/P1-1", "cores", json!([100_000]), "no CPU 100000");
    refused("1/P1-1", "cores", json!([0, 1023]), "1023");
}

#[test]
fn an_error_message_is_bounded_and_the_log_has_all_of_it() {
    let sector = Sector::new();
    // Two bytes each, after an odd number of others: a cut anywhere would end within a character.
    let long = "\u{e4}".repeat(1 << 20);
    let attempt = sector.attempt("1/P1-1", |job| job["size"] = json!(long));
    let ended = sector.run(&attempt);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains(&long) && ended.stderr.lines().count() == 1);
    let error = read(&attempt.join("error.json"));
    let message = error["message"].as_str().unwrap();
    assert!(message.len() <= 4096, "{} bytes", message.len());
    assert!(message.contains("unknown variant") && message.ends_with("(cut; the whole message is in the log)"));
}

#[test]
fn limits_are_whole_bytes_per_second() {
    for (limit, found) in [(json!(4.1), "4.1"), (json!(4_100_000.0), "4100000.0"), (json!("4"), "\"4\"")] {
        let sector = Sector::new();
        let error = sector.fails("1/P5-1", 2, |job| job["copy"]["limitBytesPerSec"] = limit.clone());
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("copy.limitBytesPerSec") && message.contains(found), "{message}");
    }
}

#[test]
fn job_json_that_is_no_json() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    fs::write(attempt.join("job.json"), "{").unwrap();
    assert_eq!(sector.run(&attempt).code, Some(2));
    assert_eq!(read(&attempt.join("error.json"))["type"], "BadInput");
}

#[test]
fn a_directory_that_is_no_attempt() {
    let sector = Sector::new();
    let dir = sector.at("1/gone-P1-1");
    fs::create_dir_all(&dir).unwrap();
    let ended = sector.run(&dir);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(names(&dir).is_empty());
    assert_eq!(sector.run(&sector.at("1/P1-9")).code, Some(3), "a mount that is away comes back");
}

#[test]
fn an_input_without_a_result_must_run_again() {
    let sector = Sector::new();
    for (name, from) in [("1/P2-1", "P1"), ("1/P3-1", "P2"), ("1/P4-1", "P2"), ("1/P5-1", "P2")] {
        let error = sector.fails(name, 4, |_| ());
        assert_eq!((error["type"].as_str(), error["from"].as_str()), (Some("StepBack"), Some(from)), "{name}");
    }
    assert!(names(&sector.path("node/.sealflow")).is_empty(), "the reservation is given back");
}

#[test]
fn an_input_of_another_sector() {
    let sector = Sector::new();
    sector.done("1/P1-1", |_| ());
    let error = sector.fails("1/P2-1", 2, |job| job["sector"] = json!("t01000/8"));
    assert!(error["message"].as_str().unwrap().contains("t01000/7"), "{error}");
}

#[test]
fn proof_threads() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P4-1", |_| ());
    let child = sector.command(&["run", attempt.to_str().unwrap()]).env("BELLMAN_PROOF_THREADS", "0").spawn().unwrap();
    assert_eq!(ended(child).code, Some(2));
    assert!(read(&attempt.join("error.json"))["message"].as_str().unwrap().contains("BELLMAN_PROOF_THREADS"));
}

#[test]
fn a_result_stands() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |job| job["v"] = json!(99));
    fs::write(attempt.join("result.json"), "{}").unwrap();
    assert_eq!(sector.run(&attempt).code, Some(0));
    assert_eq!(names(&attempt), ["job.json", "result.json"]);
}

#[test]
fn an_attempt_is_begun_once() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    fs::write(attempt.join("progress.json"), "of an engine that may be alive").unwrap();
    assert_eq!(sector.run(&attempt).code, Some(3));
    assert_eq!(names(&attempt), ["job.json", "progress.json"]);

    let attempt = sector.attempt("1/P1-2", |_| ());
    fs::write(attempt.join("sc-02-data-layer-1.dat"), [0; 2048]).unwrap();
    assert_eq!(sector.run(&attempt).code, Some(3));
    assert!(!attempt.join("result.json").exists());
}

#[test]
fn command_line() {
    let sector = Sector::new();
    for wrong in
        [&[][..], &["run"], &["params", "3KiB"], &["seal"], &["info", "--size"], &["check-copy", "receipt.json"]]
    {
        let ended = sector.engine(wrong);
        assert_eq!(ended.code, Some(2), "{wrong:?}");
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty());
    }
    let info: serde_json::Value = serde_json::from_str(&sector.engine(&["info"]).stdout).unwrap();
    assert_eq!(info["v"], 1);
    assert_eq!(info["sizes"]["32GiB"], json!({ "parameters": false, "partitions": 10, "layers": 11 }));
    assert_eq!(info["parameterDir"], json!(sector.path("params")));
    let one: serde_json::Value = serde_json::from_str(&sector.engine(&["info", "--size", "2KiB"]).stdout).unwrap();
    assert_eq!(one["sizes"].as_object().unwrap().len(), 1);
}
