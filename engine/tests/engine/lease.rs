//! An engine that is superseded ends by itself; one that is not keeps its progress fresh.

use crate::common::*;
use rustix::process::{kill_process, Pid, Signal};
use serde_json::json;
use std::fs;

fn sealed() -> Sector {
    let sector = Sector::new();
    sector.done("2/P1-1", |_| ());
    sector.done("2/P2-1", |_| ());
    sector
}

/// Runs an engine that would go on for half an hour, does `something`, expects exit 7 and no error.json.
fn superseded_by(something: impl Fn(&Sector)) {
    let sector = sealed();
    let child = sector.slow_engine("2/P5-3", |_| ());
    something(&sector);
    let ended = child.ended();
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert!(ended.stderr.contains("Superseded"));
    for name in ["2/P5-3", "2/gone-P5-3", "2/invalidated-P5-3", "gone-2/P5-3"] {
        assert!(!sector.at(name).join("error.json").exists() && !sector.at(name).join("result.json").exists());
    }
}

#[test]
fn by_a_higher_attempt() {
    superseded_by(|sector| fs::create_dir(sector.at("2/P5-4")).unwrap());
}

#[test]
fn by_a_higher_epoch() {
    superseded_by(|sector| fs::create_dir(sector.at("10")).unwrap());
}

#[test]
fn by_being_renamed() {
    superseded_by(|sector| fs::rename(sector.at("2/P5-3"), sector.at("2/gone-P5-3")).unwrap());
    superseded_by(|sector| fs::rename(sector.at("2"), sector.at("gone-2")).unwrap());
}

#[test]
fn by_being_deleted() {
    superseded_by(|sector| fs::remove_dir_all(sector.at("2/P5-3")).unwrap());
    superseded_by(|sector| fs::remove_dir_all(sector.at("")).unwrap());
}

#[test]
fn before_it_has_begun() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    fs::create_dir(sector.at("1/P1-2")).unwrap();
    assert_eq!(sector.run(&attempt).code, Some(7));
    assert_eq!(names(&attempt), ["job.json"]);
}

#[test]
fn other_names_mean_nothing_and_progress_is_kept_fresh() {
    let sector = sealed();
    for name in ["1", "2/P5-2", "2/P4-9", "2/gone-P5-9", "2/.new-1", "x9"] {
        fs::create_dir_all(sector.at(name)).unwrap();
    }
    let child = sector.slow_engine("2/P5-3", |job| job["cores"] = json!([0]));
    let attempt = sector.at("2/P5-3");
    let first = progress(&attempt).unwrap();
    until("ten refreshes", || {
        progress(&attempt)
            .is_some_and(|now| now["counter"].as_u64().unwrap() >= first["counter"].as_u64().unwrap() + 10)
    });
    let now = progress(&attempt).unwrap();
    assert_eq!(now["pid"], child.id());
    assert_eq!(now["startTime"], first["startTime"]);
    assert_eq!(now["bootId"], fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim());
    assert_eq!(now["pidNs"], json!(fs::read_link("/proc/self/ns/pid").unwrap()));
    assert_eq!((now["fraction"].as_f64(), now["step"].as_str()), (Some(0.0), Some("copying")));
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");

    // Killed: no result, no error, the copy's directory is left for others to find.
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert_eq!(child.ended().code, None);
    assert_eq!(names(&attempt), ["job.json", "progress.json"]);
}

#[test]
fn nobody_reads_the_log() {
    let sector = sealed();
    let attempt = sector.attempt("2/P5-3", |job| job["copy"]["limitBytesPerSec"] = json!(1));
    let mut child = sector.command(&["run", attempt.to_str().unwrap()]).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    until("the copy has begun", || progress(&attempt).is_some_and(|progress| progress["step"] == "copying"));
    fs::create_dir(sector.at("3")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
