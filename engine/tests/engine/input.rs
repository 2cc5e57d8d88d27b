//! Invalid jobs, inputs and command lines are refused before anything is computed.

use crate::common::*;
use serde_json::json;
use std::fs;

#[test]
fn invalid_jobs_exit_with_2() {
    let refused = |name: &str, key: &str, value: serde_json::Value, expected: &str| {
        let sector = Sector::new();
        let error = sector.run_failing(name, 2, |job| job[key] = value.clone());
        assert_eq!(error["type"], "BadInput");
        assert!(error["message"].as_str().unwrap().contains(expected), "{key}: {error}");
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
    refused("1/P5-1", "copy", json!({ "node": "/x", "staging": "../y" }), "copy.staging");
    let shared = json!({ "limitBytesPerSec": 1, "path": "limit" });
    refused("1/P5-1", "copy", json!({ "node": "/x", "staging": "y", "shared": shared }), "copy.shared.path");
    refused("1/P1-1", "cores", json!([]), "cores");
    refused("1/P1-1", "cores", json!([100_000]), "no CPU 100000");
    refused("1/P1-1", "cores", json!([0, 1023]), "1023");
}

#[test]
fn long_messages_are_truncated_in_error_json_but_not_in_the_log() {
    let sector = Sector::new();
    // Characters of two bytes at odd offsets: a cut at 4096 bytes would be within a character.
    let long = "\u{e4}".repeat(1 << 20);
    let attempt = sector.attempt("1/P1-1", |job| job["size"] = json!(long));
    let exited = sector.run(&attempt);
    assert_eq!(exited.code, Some(2));
    assert!(exited.stderr.contains(&long) && exited.stderr.lines().count() == 1);
    let error = read(&attempt.join("error.json"));
    let message = error["message"].as_str().unwrap();
    assert!(message.len() <= 4096, "{} bytes", message.len());
    assert!(message.contains("unknown variant") && message.ends_with("(truncated; the whole message is in the log)"));
}

#[test]
fn limits_must_be_whole_bytes_per_second() {
    for (limit, found) in [(json!(4.1), "4.1"), (json!(4_100_000.0), "4100000.0"), (json!("4"), "\"4\"")] {
        let sector = Sector::new();
        let error = sector.run_failing("1/P5-1", 2, |job| job["copy"]["limitBytesPerSec"] = limit.clone());
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("copy.limitBytesPerSec") && message.contains(found), "{message}");
    }
}

#[test]
fn job_json_that_is_not_json() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    fs::write(attempt.join("job.json"), "{").unwrap();
    assert_eq!(sector.run(&attempt).code, Some(2));
    assert_eq!(read(&attempt.join("error.json"))["type"], "BadInput");
}

#[test]
fn a_directory_that_is_not_an_attempt() {
    let sector = Sector::new();
    let dir = sector.at("1/gone-P1-1");
    fs::create_dir_all(&dir).unwrap();
    let exited = sector.run(&dir);
    assert_eq!(exited.code, Some(2), "{}", exited.stderr);
    assert!(names(&dir).is_empty());
    assert_eq!(sector.run(&sector.at("1/P1-9")).code, Some(3), "a lost mount may come back");
}

#[test]
fn an_input_without_a_result_is_a_step_back() {
    let sector = Sector::new();
    for (name, from) in [("1/P2-1", "P1"), ("1/P3-1", "P2"), ("1/P4-1", "P2"), ("1/P5-1", "P2")] {
        let error = sector.run_failing(name, 4, |_| ());
        assert_eq!((error["type"].as_str(), error["from"].as_str()), (Some("StepBack"), Some(from)), "{name}");
    }
    assert!(names(&sector.path("node/.sealflow")).is_empty(), "the staging directory is removed");
}

#[test]
fn an_input_of_another_sector_is_refused() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    let error = sector.run_failing("1/P2-1", 2, |job| job["sector"] = json!("t01000/8"));
    assert!(error["message"].as_str().unwrap().contains("t01000/7"), "{error}");
}

#[test]
fn an_invalid_bellman_proof_threads_is_refused() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P4-1", |_| ());
    let child = sector.command(&["run", attempt.to_str().unwrap()]).env("BELLMAN_PROOF_THREADS", "0").spawn().unwrap();
    assert_eq!(wait_for_exit(child).code, Some(2));
    assert!(read(&attempt.join("error.json"))["message"].as_str().unwrap().contains("BELLMAN_PROOF_THREADS"));
}

#[test]
fn an_attempt_with_a_result_succeeds_at_once() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |job| job["v"] = json!(99));
    fs::write(attempt.join("result.json"), "{}").unwrap();
    assert_eq!(sector.run(&attempt).code, Some(0));
    assert_eq!(names(&attempt), ["job.json", "result.json"]);
}

#[test]
fn an_attempt_is_started_only_once() {
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
fn command_lines_and_info() {
    let sector = Sector::new();
    for wrong in
        [&[][..], &["run"], &["params", "3KiB"], &["seal"], &["info", "--size"], &["check-copy", "receipt.json"]]
    {
        let exited = sector.engine(wrong);
        assert_eq!(exited.code, Some(2), "{wrong:?}");
        assert!(!exited.stderr.is_empty() && exited.stdout.is_empty());
    }
    let info: serde_json::Value = serde_json::from_str(&sector.engine(&["info"]).stdout).unwrap();
    assert_eq!(info["v"], 1);
    assert_eq!(info["sizes"]["32GiB"], json!({ "parameters": false, "partitions": 10, "layers": 11 }));
    assert_eq!(info["parameterDir"], json!(sector.path("params")));
    let one: serde_json::Value = serde_json::from_str(&sector.engine(&["info", "--size", "2KiB"]).stdout).unwrap();
    assert_eq!(one["sizes"].as_object().unwrap().len(), 1);
}
