//! After P5 the copy on the storage node either equals the files of P2 or does not exist.

use crate::common::*;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

fn sector_after_p2() -> Sector {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P2-1", |_| ());
    sector
}

const RETAINED: [&str; 4] = ["p_aux", "sc-02-data-tree-r-last.dat", "sealed", "t_aux"];

#[test]
fn a_copy_equals_the_files_of_p2() {
    let sector = sector_after_p2();
    let p2 = read(&sector.at("1/P2-1/result.json"));
    let result = sector.run_ok("1/P5-1", |_| ());
    assert_eq!(result["outputs"]["files"], p2["outputs"]["files"]);
    let copy = sector.path("node").join(STAGING);
    assert_eq!(names(&copy), [&["copy.json"], &RETAINED[..]].concat());
    for name in RETAINED {
        assert_eq!(fs::read(copy.join(name)).unwrap(), fs::read(sector.at("1/P2-1").join(name)).unwrap(), "{name}");
    }
    let facts = &result["facts"];
    assert_eq!((facts["node"].as_str(), facts["staging"].as_str()), (Some("node"), Some(".sealflow/s-t01000-7.1")));
    assert_eq!(facts["bytes"], 2048 + 64 + 32 + fs::metadata(copy.join("t_aux")).unwrap().len());
    for name in ["writeSeconds", "readBackSeconds", "proveSeconds"] {
        assert!(facts[name].is_f64(), "{name}");
    }
    assert_eq!(facts["challenges"], 66);
    let progress = progress(&sector.at("1/P5-1")).unwrap();
    assert_eq!(
        (&progress["bytes"], &progress["total"]),
        (&progress["total"], &json!(2 * facts["bytes"].as_u64().unwrap()))
    );
}

#[test]
fn other_phases_have_no_total() {
    let sector = sector_after_p2();
    assert!(progress(&sector.at("1/P2-1")).unwrap().get("total").is_none());
}

/// Updates the digest of a changed file in P2's result, as if P2 had generated the file like this.
fn update_digest(sector: &Sector, name: &str) {
    let path = sector.at("1/P2-1/result.json");
    let mut result = read(&path);
    let file = result["outputs"]["files"].as_array_mut().unwrap().iter_mut().find(|file| file["name"] == name).unwrap();
    file["blake3"] = json!(blake3(&sector.at("1/P2-1").join(name)));
    fs::write(&path, result.to_string()).unwrap();
}

#[test]
fn a_p_aux_of_another_comm_r_steps_back_to_p2_before_anything_is_copied() {
    let sector = sector_after_p2();
    flip_byte(&sector.at("1/P2-1/p_aux"));
    update_digest(&sector, "p_aux");
    let error = sector.run_failing("1/P5-1", 4, |_| ());
    assert_eq!(error["from"], "P2");
    assert!(error["message"].as_str().unwrap().contains("p_aux is of commR"), "{error}");
    assert!(progress(&sector.at("1/P5-1")).unwrap().get("total").is_none());
    assert!(names(&sector.path("node/.sealflow")).is_empty());

    fs::write(sector.at("1/P2-1/p_aux"), [0xff; 64]).unwrap();
    update_digest(&sector, "p_aux");
    let error = sector.run_failing("1/P5-2", 4, |_| ());
    assert!(error["message"].as_str().unwrap().contains("does not contain elements of the field"), "{error}");
}

#[test]
fn a_copy_that_cannot_be_proved_steps_back_to_p2() {
    // First every leaf is changed; then the bytes are not leaves at all, and the library panics on them.
    for byte in [0x11, 0xff] {
        let sector = sector_after_p2();
        fs::write(sector.at("1/P2-1/sealed"), [byte; 2048]).unwrap();
        update_digest(&sector, "sealed");
        let error = sector.run_failing("1/P5-1", 4, |_| ());
        assert_eq!(error["from"], "P2");
        assert!(error["message"].as_str().unwrap().contains("no proof from the copy"), "{error}");
        assert!(names(&sector.path("node/.sealflow")).is_empty());
    }
}

#[test]
fn a_source_that_changed_steps_back_to_p2() {
    for name in RETAINED {
        let sector = sector_after_p2();
        flip_byte(&sector.at("1/P2-1").join(name));
        let error = sector.run_failing("1/P5-1", 4, |_| ());
        assert_eq!(error["from"], "P2");
        assert!(error["message"].as_str().unwrap().contains(&format!("{name} differs")), "{error}");
        assert!(names(&sector.path("node/.sealflow")).is_empty(), "the copy is removed");
    }
}

#[test]
fn a_truncated_or_missing_source_steps_back_to_p2() {
    let sector = sector_after_p2();
    let path = sector.at("1/P2-1/sealed");
    fs::write(&path, [0; 100]).unwrap();
    assert_eq!(sector.run_failing("1/P5-1", 4, |_| ())["from"], "P2");
    fs::remove_file(&path).unwrap();
    assert_eq!(sector.run_failing("1/P5-2", 4, |_| ())["from"], "P2");
    assert!(names(&sector.path("node/.sealflow")).is_empty());
}

#[test]
fn a_node_that_is_not_mounted_is_not_created() {
    let sector = sector_after_p2();
    fs::remove_dir(sector.path("node")).unwrap();
    let error = sector.run_failing("1/P5-1", 3, |_| ());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains("is it mounted?"), "{error}");
    assert!(!sector.path("node").exists());
}

#[test]
fn a_missing_staging_directory_is_not_created() {
    let sector = sector_after_p2();
    for gone in [STAGING, ".sealflow"] {
        let attempt = sector.attempt("1/P5-1", |_| ());
        fs::remove_dir_all(sector.path("node").join(gone)).unwrap();
        assert_eq!(sector.run(&attempt).code, Some(3));
        let error = read(&attempt.join("error.json"));
        assert_eq!(error["type"], "PassingFault");
        assert!(
            error["message"].as_str().unwrap().ends_with(&format!("{STAGING}: the reservation is not there")),
            "{error}"
        );
        assert!(!sector.path("node").join(gone).exists(), "it is not created");
        fs::remove_dir_all(attempt).unwrap();
    }
}

#[test]
fn files_of_others_are_not_removed() {
    let sector = sector_after_p2();
    let staging = sector.path("node").join(STAGING);
    fs::create_dir_all(&staging).unwrap();
    fs::write(staging.join("t_aux"), "another's").unwrap();
    let error = sector.run_failing("1/P5-1", 3, |_| ());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains("t_aux"), "{error}");
    assert_eq!(fs::read(staging.join("t_aux")).unwrap(), b"another's");
    // The engine's own files are removed; copy.json and the directory stay.
    assert_eq!(names(&staging), ["copy.json", "t_aux"]);
}

#[test]
fn symbolic_links_are_not_followed() {
    let sector = sector_after_p2();
    let attempt = sector.attempt("1/P5-1", |_| ());
    fs::rename(sector.path("node/.sealflow"), sector.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(sector.path("elsewhere"), sector.path("node/.sealflow")).unwrap();
    assert_eq!(sector.run(&attempt).code, Some(3));
    assert_eq!(read(&attempt.join("error.json"))["type"], "PassingFault");
    assert_eq!(names(&sector.path("elsewhere/s-t01000-7.1")), ["copy.json"]);
}

#[test]
fn a_high_limit_has_no_effect() {
    let sector = sector_after_p2();
    let result = sector.run_ok("1/P5-1", |job| job["copy"]["limitBytesPerSec"] = json!(500_000_000));
    assert_eq!(result["outputs"]["files"].as_array().unwrap().len(), 4);
}

#[test]
fn two_copies_share_a_limit() {
    let limit = 4_000_000;
    let sectors = [sector_after_p2(), sector_after_p2()];
    let shared = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let engines = sectors.each_ref().map(|sector| {
        enlarge(sector, "1/P2-1", 1_000_000);
        let shared = json!({ "limitBytesPerSec": limit, "path": shared.path().join("limit") });
        let attempt = sector.attempt("1/P5-1", |job| {
            job["copy"]["shared"] = shared.clone();
            job["copy"]["limitBytesPerSec"] = json!(3_000_000);
        });
        sector.command(&["run", attempt.to_str().unwrap()]).spawn().unwrap()
    });
    for engine in engines {
        let exited = wait_for_exit(engine);
        assert_eq!(exited.code, Some(0), "{}", exited.stderr);
    }
    // 4 MB in 1 s, minus a burst. With their own limits alone the copies would take 0.67 s.
    assert!(start.elapsed() > Duration::from_millis(840), "{:?}", start.elapsed());
}

#[test]
fn a_shared_limit_without_its_file_fails() {
    let sector = sector_after_p2();
    let path = sector.path("no/limit");
    let shared = json!({ "limitBytesPerSec": 1_000_000, "path": path });
    let error = sector.run_failing("1/P5-1", 3, |job| job["copy"]["shared"] = shared.clone());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains(path.to_str().unwrap()), "{error}");
    assert!(names(&sector.path("node/.sealflow")).is_empty());
}
