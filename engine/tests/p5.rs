//! The copy on the storage node is what P2 made, or it is not there.

mod common;

use common::*;
use serde_json::json;
use std::fs;

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
    let copy = sector.path("node/.sealflow/s-t01000-7.1");
    assert_eq!(names(&copy), KEPT);
    for name in KEPT {
        assert_eq!(fs::read(copy.join(name)).unwrap(), fs::read(sector.at("1/P2-1").join(name)).unwrap(), "{name}");
    }
    let facts = &result["facts"];
    assert_eq!((facts["node"].as_str(), facts["into"].as_str()), (Some("node"), Some(".sealflow/s-t01000-7.1")));
    assert_eq!(facts["bytes"], 2048 + 64 + 32 + fs::metadata(copy.join("t_aux")).unwrap().len());
    assert!(facts["writeSeconds"].is_f64() && facts["readBackSeconds"].is_f64());
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
fn a_directory_of_another_copy_is_left_alone() {
    let sector = sealed();
    let other = sector.path("node/.sealflow/s-t01000-7.1");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("sealed"), "another's").unwrap();
    assert_eq!(sector.fails("1/P5-1", 3, |_| ())["type"], "PassingFault");
    assert_eq!(fs::read(other.join("sealed")).unwrap(), b"another's");
}

#[test]
fn a_link_out_of_the_node_is_not_followed() {
    let sector = sealed();
    fs::create_dir(sector.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(sector.path("elsewhere"), sector.path("node/.sealflow")).unwrap();
    assert_eq!(sector.fails("1/P5-1", 3, |_| ())["type"], "PassingFault");
    assert!(names(&sector.path("elsewhere")).is_empty());
}

#[test]
fn a_limit_that_is_far_away_changes_nothing() {
    let sector = sealed();
    let result = sector.done("1/P5-1", |job| job["copy"]["limitBytesPerSec"] = json!(500_000_000));
    assert_eq!(result["outputs"]["files"].as_array().unwrap().len(), 4);
}
