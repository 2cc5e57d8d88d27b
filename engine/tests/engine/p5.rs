//! The copy on the storage node is what P2 made, or it is not there.

use crate::common::*;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

fn sealed() -> Sector {
    let sector = Sector::new();
    sector.done("1/P1-1", |_| ());
    sector.done("1/P2-1", |_| ());
    sector
}

const KEPT: [&str; 4] = ["p_aux", "sc-02-data-tree-r-last.dat", "sealed", "t_aux"];

#[test]
fn a_copy() {
    let sector = sealed();
    let p2 = read(&sector.at("1/P2-1/result.json"));
    let result = sector.done("1/P5-1", |_| ());
    assert_eq!(result["outputs"]["files"], p2["outputs"]["files"]);
    let copy = sector.path("node").join(PART);
    assert_eq!(names(&copy), [&["copy.json"], &KEPT[..]].concat());
    for name in KEPT {
        assert_eq!(fs::read(copy.join(name)).unwrap(), fs::read(sector.at("1/P2-1").join(name)).unwrap(), "{name}");
    }
    let facts = &result["facts"];
    assert_eq!((facts["node"].as_str(), facts["into"].as_str()), (Some("node"), Some(".sealflow/s-t01000-7.1")));
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
fn only_a_copy_knows_its_total() {
    let sector = sealed();
    assert!(progress(&sector.at("1/P2-1")).unwrap().get("total").is_none());
}

/// Makes P2's result name the file as it is now: what P2 itself has got wrong.
fn sign(sector: &Sector, name: &str) {
    let path = sector.at("1/P2-1/result.json");
    let mut result = read(&path);
    let file = result["outputs"]["files"].as_array_mut().unwrap().iter_mut().find(|file| file["name"] == name).unwrap();
    file["blake3"] = json!(blake3(&sector.at("1/P2-1").join(name)));
    fs::write(&path, result.to_string()).unwrap();
}

#[test]
fn a_p_aux_of_another_comm_r_steps_back_to_p2_before_anything_is_copied() {
    let sector = sealed();
    flip(&sector.at("1/P2-1/p_aux"));
    sign(&sector, "p_aux");
    let error = sector.fails("1/P5-1", 4, |_| ());
    assert_eq!(error["from"], "P2");
    assert!(error["message"].as_str().unwrap().contains("p_aux is of commR"), "{error}");
    assert!(progress(&sector.at("1/P5-1")).unwrap().get("total").is_none());
    assert!(names(&sector.path("node/.sealflow")).is_empty());

    fs::write(sector.at("1/P2-1/p_aux"), [0xff; 64]).unwrap();
    sign(&sector, "p_aux");
    let error = sector.fails("1/P5-2", 4, |_| ());
    assert!(error["message"].as_str().unwrap().contains("no elements of the field"), "{error}");
}

#[test]
fn a_copy_that_proves_nothing_steps_back_to_p2() {
    // Another leaf in every place; then bytes that are no leaves at all, over which the library panics.
    for byte in [0x11, 0xff] {
        let sector = sealed();
        fs::write(sector.at("1/P2-1/sealed"), [byte; 2048]).unwrap();
        sign(&sector, "sealed");
        let error = sector.fails("1/P5-1", 4, |_| ());
        assert_eq!(error["from"], "P2");
        assert!(error["message"].as_str().unwrap().contains("no proof from the copy"), "{error}");
        assert!(names(&sector.path("node/.sealflow")).is_empty());
    }
}

#[test]
fn a_source_that_changed_steps_back_to_p2() {
    for name in KEPT {
        let sector = sealed();
        flip(&sector.at("1/P2-1").join(name));
        let error = sector.fails("1/P5-1", 4, |_| ());
        assert_eq!(error["from"], "P2");
        assert!(error["message"].as_str().unwrap().contains(&format!("{name} differs")), "{error}");
        assert!(names(&sector.path("node/.sealflow")).is_empty(), "what was copied is given back");
    }
}

#[test]
fn a_source_that_is_shorter_or_gone_steps_back_to_p2() {
    let sector = sealed();
    let path = sector.at("1/P2-1/sealed");
    fs::write(&path, [0; 100]).unwrap();
    assert_eq!(sector.fails("1/P5-1", 4, |_| ())["from"], "P2");
    fs::remove_file(&path).unwrap();
    assert_eq!(sector.fails("1/P5-2", 4, |_| ())["from"], "P2");
    assert!(names(&sector.path("node/.sealflow")).is_empty());
}

#[test]
fn a_node_that_is_not_mounted() {
    let sector = sealed();
    fs::remove_dir(sector.path("node")).unwrap();
    let error = sector.fails("1/P5-1", 3, |_| ());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains("is it mounted?"), "{error}");
    assert!(!sector.path("node").exists());
}

#[test]
fn without_its_reservation() {
    let sector = sealed();
    for gone in [PART, ".sealflow"] {
        let attempt = sector.attempt("1/P5-1", |_| ());
        fs::remove_dir_all(sector.path("node").join(gone)).unwrap();
        assert_eq!(sector.run(&attempt).code, Some(3));
        let error = read(&attempt.join("error.json"));
        assert_eq!(error["type"], "PassingFault");
        assert!(
            error["message"].as_str().unwrap().ends_with(&format!("{PART}: the reservation is not there")),
            "{error}"
        );
        assert!(!sector.path("node").join(gone).exists(), "it is not made again");
        fs::remove_dir_all(attempt).unwrap();
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let sector = sealed();
    let part = sector.path("node").join(PART);
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("t_aux"), "another's").unwrap();
    let error = sector.fails("1/P5-1", 3, |_| ());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains("t_aux"), "{error}");
    assert_eq!(fs::read(part.join("t_aux")).unwrap(), b"another's");
    // What was made before is gone; the reservation stays, as the directory does.
    assert_eq!(names(&part), ["copy.json", "t_aux"]);
}

#[test]
fn a_link_out_of_the_node_is_not_followed() {
    let sector = sealed();
    let attempt = sector.attempt("1/P5-1", |_| ());
    fs::rename(sector.path("node/.sealflow"), sector.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(sector.path("elsewhere"), sector.path("node/.sealflow")).unwrap();
    assert_eq!(sector.run(&attempt).code, Some(3));
    assert_eq!(read(&attempt.join("error.json"))["type"], "PassingFault");
    assert_eq!(names(&sector.path("elsewhere/s-t01000-7.1")), ["copy.json"]);
}

#[test]
fn a_limit_that_is_far_away_changes_nothing() {
    let sector = sealed();
    let result = sector.done("1/P5-1", |job| job["copy"]["limitBytesPerSec"] = json!(500_000_000));
    assert_eq!(result["outputs"]["files"].as_array().unwrap().len(), 4);
}

#[test]
fn two_copies_share_a_limit() {
    let limit = 4_000_000;
    let sectors = [sealed(), sealed()];
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
        let ended = ended(engine);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    // 4 MB in a second, less a burst; each by itself would have taken 0.67 s.
    assert!(start.elapsed() > Duration::from_millis(840), "{:?}", start.elapsed());
}

#[test]
fn a_shared_limit_that_cannot_be_kept() {
    let sector = sealed();
    let path = sector.path("no/limit");
    let shared = json!({ "limitBytesPerSec": 1_000_000, "path": path });
    let error = sector.fails("1/P5-1", 3, |job| job["copy"]["shared"] = shared.clone());
    assert_eq!(error["type"], "PassingFault");
    assert!(error["message"].as_str().unwrap().contains(path.to_str().unwrap()), "{error}");
    assert!(names(&sector.path("node/.sealflow")).is_empty());
}
