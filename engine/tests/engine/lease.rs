//! A superseded engine ends by itself; otherwise an engine keeps refreshing its progress.

use crate::common::faults::Fault;
use crate::common::*;
use rustix::process::{kill_process, Pid, Signal};
use serde_json::json;
use std::fs::{self, File};

fn sector_after_p2() -> Sector {
    let sector = Sector::new();
    sector.run_ok("2/P1-1", |_| ());
    sector.run_ok("2/P2-1", |_| ());
    sector
}

/// Runs an engine that would take half an hour, calls `act`, and expects exit code 7 without an error.json.
fn assert_superseded_by(act: impl Fn(&Sector)) {
    let sector = sector_after_p2();
    let child = sector.spawn_slow_engine("2/P5-3", |_| ());
    act(&sector);
    let exited = child.wait();
    assert_eq!(exited.code, Some(7), "{}", exited.stderr);
    assert!(exited.stderr.contains("Superseded"));
    for name in ["2/P5-3", "2/gone-P5-3", "2/invalidated-P5-3", "gone-2/P5-3"] {
        assert!(!sector.at(name).join("error.json").exists() && !sector.at(name).join("result.json").exists());
    }
}

#[test]
fn superseded_by_a_higher_attempt() {
    assert_superseded_by(|sector| fs::create_dir(sector.at("2/P5-4")).unwrap());
}

#[test]
fn superseded_by_a_higher_epoch() {
    assert_superseded_by(|sector| fs::create_dir(sector.at("10")).unwrap());
}

#[test]
fn superseded_by_a_rename() {
    assert_superseded_by(|sector| fs::rename(sector.at("2/P5-3"), sector.at("2/gone-P5-3")).unwrap());
    assert_superseded_by(|sector| fs::rename(sector.at("2"), sector.at("gone-2")).unwrap());
}

#[test]
fn superseded_by_a_deletion() {
    assert_superseded_by(|sector| fs::remove_dir_all(sector.at("2/P5-3")).unwrap());
    assert_superseded_by(|sector| fs::remove_dir_all(sector.at("")).unwrap());
}

/// Where another NFS client has deleted the directories, everything relative to the working directory is ESTALE.
#[test]
fn superseded_by_a_deletion_that_looks_like_a_stale_mount() {
    for is_deleted in [true, false] {
        let sector = sector_after_p2();
        let attempt = sector.slow_attempt("2/P5-3", |_| ());
        let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
        let stale = sector.path("stale");
        let fault = Fault { when: Some(stale.clone()), ..Fault::new("opendir", "..", 116) };
        if !fault.add_to(&mut command) {
            return;
        }
        let mut child = spawn_copying(&attempt, command.stderr(File::create(sector.path("log")).unwrap()));
        if is_deleted {
            fs::remove_dir_all(sector.at("")).unwrap();
        }
        fs::write(stale, "").unwrap();
        if is_deleted {
            wait_until("the engine has ended", || child.has_ended());
            assert_eq!(child.wait().code, Some(7));
        } else {
            let warnings = || fs::read_to_string(sector.path("log")).unwrap().matches("Stale file handle").count();
            wait_until("it has warned ten times", || warnings() >= 10);
            assert!(!child.has_ended(), "a stale mount is a fault of the machine");
        }
    }
}

#[test]
fn superseded_before_the_start() {
    let sector = Sector::new();
    let attempt = sector.attempt("1/P1-1", |_| ());
    fs::create_dir(sector.at("1/P1-2")).unwrap();
    assert_eq!(sector.run(&attempt).code, Some(7));
    assert_eq!(names(&attempt), ["job.json"]);
}

#[test]
fn other_names_are_ignored_and_progress_is_refreshed() {
    let sector = sector_after_p2();
    for name in ["1", "2/P5-2", "2/P4-9", "2/gone-P5-9", "2/.new-1", "x9"] {
        fs::create_dir_all(sector.at(name)).unwrap();
    }
    let child = sector.spawn_slow_engine("2/P5-3", |job| job["cores"] = json!([0]));
    let attempt = sector.at("2/P5-3");
    let first = progress(&attempt).unwrap();
    wait_until("progress.json was refreshed ten times", || {
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

    // A killed engine writes neither a result nor an error.
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert_eq!(child.wait().code, None);
    assert_eq!(names(&attempt), ["job.json", "progress.json"]);
}

#[test]
fn a_closed_log_does_not_stop_the_engine() {
    let sector = sector_after_p2();
    let attempt = sector.attempt("2/P5-3", |job| job["copy"]["limitBytesPerSec"] = json!(1));
    let mut child = sector.command(&["run", attempt.to_str().unwrap()]).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    wait_until("the copy has begun", || progress(&attempt).is_some_and(|progress| progress["step"] == "copying"));
    fs::create_dir(sector.at("3")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
