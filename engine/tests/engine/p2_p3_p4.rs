//! P2 verifies its inputs and is reproducible; P3 and P4 detect inputs that they cannot use.

use crate::common::*;
use serde_json::json;
use std::fs;
use std::os::unix::fs::MetadataExt;

const LAYER: &str = "sc-02-data-layer-1.dat";

#[test]
fn p2_and_p3_are_reproducible() {
    let sector = Sector::new();
    let p1 = sector.run_ok("1/P1-1", |_| ());
    let first = sector.run_ok("1/P2-1", |_| ());
    let second = sector.run_ok("2/P2-1", |job| job["inputs"]["P1"] = json!("../../1/P1-1"));
    assert_eq!(first["outputs"], second["outputs"]);
    for name in ["sealed", "p_aux", "t_aux", "sc-02-data-tree-r-last.dat"] {
        assert_eq!(digest(&first, name), blake3(&sector.at("1/P2-1").join(name)));
        assert_eq!(
            fs::read(sector.at("1/P2-1").join(name)).unwrap(),
            fs::read(sector.at("2/P2-1").join(name)).unwrap()
        );
    }
    assert_eq!(first["outputs"]["commD"], p1["outputs"]["commD"]);
    let inode = |name: &str| fs::metadata(sector.at(name)).unwrap().ino();
    assert_eq!(inode(&format!("1/P1-1/{LAYER}")), inode(&format!("1/P2-1/{LAYER}")), "linked, not copied");

    // P3 gives the same result, also after the directory of P2 was renamed.
    let p3 = sector.run_ok("2/P3-1", |job| job["inputs"]["P2"] = json!("../../1/P2-1"));
    assert_eq!(digest(&p3, "commit-phase1.json"), blake3(&sector.at("2/P3-1/commit-phase1.json")));
    fs::rename(sector.at("2/P2-1"), sector.at("2/P2-5")).unwrap();
    let again = sector.run_ok("2/P3-2", |job| job["inputs"]["P2"] = json!("../P2-5"));
    assert_eq!(p3["outputs"], again["outputs"]);
}

/// The files that the library of the network, filecoin-proofs-api 19.1.0, wrote for this input.
#[test]
fn outputs_are_those_of_the_networks_library() {
    let sector = Sector::new();
    let p1 = sector.run_ok("1/P1-1", |_| ());
    assert_eq!(digest(&p1, "phase1.json"), "4c87f6297bcd4f31e4404818885d9ab3fe32963e819fd325671165909f1a4891");
    assert_eq!(digest(&p1, LAYER), "56dd7127c3e218c49f49f2d16d34d20f34071a7741799a2ec8961b1af95ac037");
    let p2 = sector.run_ok("1/P2-1", |_| ());
    assert_eq!(p2["outputs"]["commR"], "b334697cfe821abdd63253b1ed8180a23a622434a4e93800392ce9f7008aec30");
    assert_eq!(digest(&p2, "t_aux"), "3faba465081441f515dab081e2f01abf02e0d84fecd7cebe2b5169c5b4e96d0f");
    let p3 = sector.run_ok("1/P3-1", |_| ());
    let proofs = digest(&p3, "commit-phase1.json");
    assert_eq!(proofs, "772b086ffa6538512f966e843ff70e92da59411c3de67db01b4502e60ecc6171");
}

#[test]
fn a_changed_file_of_p1_steps_back_to_p1() {
    for name in ["sc-02-data-tree-d.dat", LAYER, "sc-02-data-layer-2.dat", "phase1.json"] {
        let sector = Sector::new();
        sector.run_ok("1/P1-1", |_| ());
        flip_byte(&sector.at("1/P1-1").join(name));
        let error = sector.run_failing("1/P2-1", 4, |_| ());
        assert_eq!(error["from"], "P1");
        assert!(error["message"].as_str().unwrap().contains(&format!("{name} differs")), "{error}");
    }
}

#[test]
fn a_missing_layer_steps_back_to_p1() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    fs::remove_file(sector.at("1/P1-1").join(LAYER)).unwrap();
    assert_eq!(sector.run_failing("1/P2-1", 4, |_| ())["from"], "P1");
}

#[test]
fn p3_of_another_comm_r_steps_back_to_p2() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P2-1", |_| ());
    let path = sector.at("1/P2-1/result.json");
    let mut result = read(&path);
    result["outputs"]["commR"] = json!("05".repeat(32));
    fs::write(&path, result.to_string()).unwrap();
    assert_eq!(sector.run_failing("1/P3-1", 4, |_| ())["from"], "P2");
}

#[test]
fn p3_without_a_file_of_p2_steps_back_to_p2() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P2-1", |_| ());
    for (i, name) in ["sealed", "t_aux", LAYER].iter().enumerate() {
        let (path, aside) = (sector.at("1/P2-1").join(name), sector.path("aside"));
        fs::rename(&path, &aside).unwrap();
        assert_eq!(sector.run_failing(&format!("1/P3-{}", i + 1), 4, |_| ())["from"], "P2", "{name}");
        fs::rename(&aside, &path).unwrap();
    }
    fs::OpenOptions::new().write(true).open(sector.at("1/P2-1/sealed")).unwrap().set_len(40).unwrap();
    assert_eq!(sector.run_failing("1/P3-9", 4, |_| ())["from"], "P2");
}

#[test]
fn p4_without_parameters_fails() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P2-1", |_| ());
    sector.run_ok("1/P3-1", |_| ());
    let error = sector.run_failing("1/P4-1", 5, |_| ());
    assert_eq!(error["type"], "MissingParameters");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("v28-stacked-proof-of-replication-")
            && message.contains(sector.path("params").to_str().unwrap())
    );
}

#[test]
fn p4_of_a_changed_commit_phase1_steps_back_to_p3() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    sector.run_ok("1/P2-1", |_| ());
    sector.run_ok("1/P3-1", |_| ());
    // Another seed and a changed file are both detected without parameters.
    assert_eq!(sector.run_failing("1/P4-1", 4, |job| job["seed"] = json!("07".repeat(32)))["from"], "P3");
    flip_byte(&sector.at("1/P3-1/commit-phase1.json"));
    let error = sector.run_failing("1/P4-2", 4, |_| ());
    assert_eq!(error["from"], "P3");
    assert!(error["message"].as_str().unwrap().contains("commit-phase1.json differs"), "{error}");
}

#[test]
fn cores_do_not_change_the_outputs() {
    let sector = Sector::new();
    sector.run_ok("1/P1-1", |_| ());
    let all = sector.run_ok("1/P2-1", |_| ());
    let one = sector.run_ok("2/P2-1", |job| {
        job["inputs"]["P1"] = json!("../../1/P1-1");
        job["cores"] = json!([0]);
    });
    assert_eq!(all["outputs"], one["outputs"]);
}
