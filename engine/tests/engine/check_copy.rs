//! `check-copy` of stored sectors.

use crate::common::stored::*;
use crate::common::*;
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

#[test]
fn a_good_copy_passes_every_check_but_the_proof() {
    let Some(stored) = StoredSector::new(0) else { return };
    let before = tree(&stored.sector.path("node"));
    let checked = stored.check(&["--json"]);
    // The receipt of this test has no valid proof.
    assert_eq!((checked.code, checked.bad()), (Some(6), vec!["proof".to_owned()]), "{}", checked.stdout);
    assert_eq!(checked.found("p_aux"), "is commR");
    assert_eq!(checked.found("challenges"), "66 leaves proved");
    assert_eq!(checked.found(SEALED), format!("2048 bytes, BLAKE3 {}", blake3(&stored.at(SEALED))));
    let mut report = checked.report();
    let bytes: u64 =
        stored.receipt["files"].as_array().unwrap().iter().map(|file| file["size"].as_u64().unwrap()).sum();
    report["checks"] = json!([]);
    let expected = json!({ "v": 1, "sector": "t01000/7", "size": "2KiB", "ok": false, "quick": false, "bytes": bytes, "checks": [] });
    assert_eq!(report, expected);

    let text = stored.check(&[]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), CHECKS.len());
    assert!(lines[0].starts_with("BAD proof  the proof does not verify"), "{text}");
    assert_eq!(lines[6], "ok  challenges  66 leaves proved");
    assert_eq!(tree(&stored.sector.path("node")), before, "nothing is written");
}

fn tree(dir: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(tree(&entry.path()));
        } else {
            found.push((entry.path(), entry.metadata().unwrap().len()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_changed_file_fails_its_check_and_those_that_depend_on_it() {
    for (name, bad) in [
        // Every leaf is changed, as 66 random challenges could miss a single one of the 64 leaves.
        (SEALED, vec![SEALED, "challenges"]),
        // The last node, which is changed here, is the root.
        (TREE, vec![TREE, "challenges"]),
        (P_AUX, vec![P_AUX, "p_aux", "challenges"]),
        (T_AUX, vec![T_AUX]),
    ] {
        let Some(stored) = StoredSector::new(0) else { return };
        match name {
            SEALED => fs::write(stored.at(name), [0x11; 2048]).unwrap(),
            _ => flip_at(&stored.at(name), -32),
        }
        assert_eq!(stored.bad(&[]), bad, "{name}");
        assert_eq!(stored.bad(&["--quick"]), bad, "{name}: small files are read even with --quick");
        let checked = stored.check(&["--json"]);
        if bad.contains(&"challenges") {
            let invalid =
                "vanilla_proof failed: SectorId(7): Generated vanilla proof for sector SectorId(7) is invalid";
            assert_eq!(checked.found("challenges"), format!("proving: generate_single_vanilla_proof: {invalid}"));
        }
        let differs = checked.found(name);
        assert!(
            differs.starts_with(&format!("{name} differs: it is ")) && differs.contains("; the receipt says "),
            "{differs}"
        );
    }
}

fn flip_at(path: &Path, from_end: isize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len().checked_add_signed(from_end).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn bytes_on_which_the_library_panics_are_bad() {
    let Some(stored) = StoredSector::new(0) else { return };
    fs::write(stored.at(SEALED), [0xff; 2048]).unwrap();
    assert_eq!(stored.bad(&[]), [SEALED, "challenges"]);
    let stored = StoredSector::new(0).unwrap();
    fs::write(stored.at(P_AUX), [0xff; 64]).unwrap();
    assert_eq!(stored.bad(&[]), [P_AUX, "p_aux", "challenges"]);
    assert!(stored.check(&["--json"]).found("challenges").contains("does not contain elements of the field"));
}

#[test]
fn quick_does_not_read_large_files() {
    let Some(stored) = StoredSector::new(100_000) else { return };
    flip_at(&stored.at(SEALED), -1);
    // The byte is after the leaves, so no challenge finds it.
    assert_eq!(stored.bad(&["--quick"]), [""; 0]);
    let checked = stored.check(&["--quick", "--json"]);
    assert_eq!(checked.found(SEALED), "102048 bytes");
    assert!(checked.report()["bytes"].as_u64().unwrap() < 100_000);
    assert_eq!(checked.report()["quick"], true);
    assert_eq!(stored.bad(&[]), [SEALED]);
    // But its size is checked.
    fs::OpenOptions::new().write(true).open(stored.at(SEALED)).unwrap().set_len(102_047).unwrap();
    assert_eq!(stored.bad(&["--quick"]), [SEALED]);
}

#[test]
fn missing_files_are_bad_and_are_not_created() {
    for name in [SEALED, TREE, P_AUX, T_AUX] {
        let Some(stored) = StoredSector::new(0) else { return };
        fs::remove_file(stored.at(name)).unwrap();
        let bad = stored.bad(&[]);
        assert_eq!(bad[0], name);
        assert_eq!(bad.contains(&"challenges".to_owned()), name != T_AUX, "{name}");
        let checked = stored.check(&["--json"]);
        assert_eq!(checked.found(name), format!("{name} is not there"));
        if name != T_AUX {
            assert_eq!(checked.found("challenges"), format!("cannot be proved: {name} is not there"));
        }
        assert!(!stored.at(name).exists());
    }
    let Some(stored) = StoredSector::new(0) else { return };
    fs::remove_dir_all(stored.at("cache")).unwrap();
    assert_eq!(stored.bad(&[]), [P_AUX, T_AUX, TREE, "p_aux", "challenges"]);
}

#[test]
fn files_that_are_not_regular_are_bad() {
    for name in [SEALED, TREE] {
        let Some(stored) = StoredSector::new(0) else { return };
        fs::rename(stored.at(name), stored.at("elsewhere")).unwrap();
        symlink(stored.at("elsewhere"), stored.at(name)).unwrap();
        assert_eq!(stored.bad(&[]), [name, "challenges"]);
        assert!(stored.check(&["--json"]).found(name).contains("symbolic link"));
        fs::remove_file(stored.at(name)).unwrap();
        fs::create_dir(stored.at(name)).unwrap();
        assert_eq!(stored.bad(&[]), [name, "challenges"]);
    }
}

#[test]
fn a_wrong_comm_r() {
    let Some(mut stored) = StoredSector::new(0) else { return };
    stored.receipt["commR"] = json!("05".repeat(32));
    assert_eq!(stored.bad(&[]), ["p_aux"]);
    assert!(stored.check(&["--json"]).found("p_aux").starts_with("p_aux is of commR "));
}

#[test]
fn receipts_with_foreign_or_missing_files_are_refused() {
    let Some(mut stored) = StoredSector::new(0) else { return };
    for name in [
        "../x",
        "/etc/passwd",
        "sealed/s-t01000-8",
        "sealed/s-t01000-7/x",
        "cache/s-t01000-8/p_aux",
        "cache/s-t01000-7/..",
        "cache/s-t01000-7/a/b",
        "cache/s-t01000-7/",
        "cache/s-t01000-7",
        "",
    ] {
        stored.receipt["files"][1]["name"] = json!(name);
        let checked = stored.check(&["--json"]);
        assert_eq!((checked.code, checked.stdout.as_str()), (Some(2), ""), "{name}: {}", checked.stderr);
        assert!(checked.stderr.contains("is not a file of t01000/7"), "{}", checked.stderr);
    }
    stored.receipt["files"].as_array_mut().unwrap().remove(1);
    assert_eq!(stored.check(&[]).code, Some(2), "a file of the sector is missing");
    stored.receipt["files"] = Value::Null;
    assert_eq!(stored.check(&[]).code, Some(2));
}

#[test]
fn a_missing_key_or_node() {
    let Some(stored) = StoredSector::new(0) else { return };
    let no_key = StoredSector { parameters: stored.sector.path("params"), ..stored };
    assert_eq!(no_key.check(&["--json"]).code, Some(5));
    let unmounted = StoredSector { parameters: local_parameters().unwrap(), ..no_key };
    fs::rename(unmounted.sector.path("node"), unmounted.sector.path("away")).unwrap();
    let checked = unmounted.check(&["--json"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(3), ""));
    assert!(checked.stderr.contains("is it mounted?"), "{}", checked.stderr);
}
