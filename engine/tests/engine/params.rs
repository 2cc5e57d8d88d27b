//! `params` publishes complete parameters or none; `verify` refuses invalid receipts.

use crate::common::*;
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Child;

fn workspace(sector: &Sector) -> Option<String> {
    names(&sector.path("params")).into_iter().find(|name| name.starts_with(".making-params-2KiB-"))
}

fn final_names(sector: &Sector) -> Vec<String> {
    names(&sector.path("params")).into_iter().filter(|name| !name.starts_with('.')).collect()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_processes_publish_nothing() {
    let sector = Sector::new();
    let first = sector.command(&["params", "2KiB"]).spawn().unwrap();
    wait_until("the first run has begun", || workspace(&sector).is_some());
    let leftover = workspace(&sector).unwrap();
    kill(first);
    assert!(sector.path("params").join(&leftover).exists());
    assert!(final_names(&sector).is_empty());

    let second = sector.command(&["params", "2KiB"]).spawn().unwrap();
    wait_until("the second run has cleaned up and begun", || workspace(&sector).is_some_and(|name| name != leftover));
    assert!(!sector.path("params").join(&leftover).exists());
    // A third one waits for the second and does not remove its workspace.
    let third = sector.command(&["params", "2KiB"]).spawn().unwrap();
    let workspace_of_second = workspace(&sector).unwrap();
    kill(third);
    assert_eq!(workspace(&sector), Some(workspace_of_second));
    kill(second);
    assert!(final_names(&sector).is_empty());
}

#[test]
fn parameters_of_production_sizes_are_never_generated() {
    let sector = Sector::new();
    for arguments in
        [&["params", "32GiB"][..], &["params", "64GiB", "--only-check"], &["params", "2KiB", "--only-check"]]
    {
        let exited = sector.engine(arguments);
        assert_eq!(exited.code, Some(5), "{}", exited.stderr);
        assert!(final_names(&sector).is_empty());
        assert!(exited.stderr.contains("MissingParameters"));
    }
    // A file that is not the published one.
    let name = missing_file_name(&sector.engine(&["params", "32GiB"]).stderr);
    fs::write(sector.path("params").join(name), "not the key").unwrap();
    let exited = sector.engine(&["params", "32GiB"]);
    assert_eq!(exited.code, Some(5));
    assert!(exited.stderr.contains("is damaged: its BLAKE2b is "), "{}", exited.stderr);
}

#[test]
fn the_published_files_are_listed_and_looked_for() {
    let sector = Sector::new();
    let list = |size: &str| -> Value {
        let exited = sector.engine(&["params", size, "--list"]);
        assert_eq!((exited.code, exited.stderr.as_str()), (Some(0), ""));
        serde_json::from_str(&exited.stdout).unwrap()
    };
    let vk = "v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-82a357d2f2ca81dc61bb45f4a762807aedee1b0a53fd6c4e77b46a01bfef7820.vk";
    let params = vk.replace(".vk", ".params");
    let missing = |name: &str, cid: &str, digest: &str| json!({ "name": name, "cid": cid, "digest": digest, "bytes": null, "checked": false });
    let key = missing(vk, "Qmf93EMrADXAK6CyiSfE8xx45fkMfR3uzKEPCvZC1n2kzb", "0c7b4aac1c40fdb7eb82bc355b41addf");
    let big = missing(&params, "QmengpM684XLQfG8754ToonszgEg2bQeAGUan5uXTHUQzJ", "6a388072a518cf46ebd661f5cc46900a");
    assert_eq!(list("32GiB"), json!({ "v": 1, "size": "32GiB", "dir": sector.path("params"), "files": [key, big] }));
    assert_eq!(list("64GiB")["files"][1]["cid"], "QmS7ye6Ri2MfFzCkcUJ7FQ6zxDKuJ6J6B8k5PN7wzSR9sX");

    // A file that is there is listed with its length, and is checked when there is a record for just this file.
    fs::write(sector.path("params").join(&params), "not the parameters").unwrap();
    let files = &list("32GiB")["files"];
    assert_eq!((&files[1]["bytes"], &files[1]["checked"]), (&json!(18), &json!(false)));
    assert_eq!(files[0]["bytes"], Value::Null);
    let meta = fs::metadata(sector.path("params").join(&params)).unwrap();
    let record =
        json!({ "v": 1, "size": 18, "modifiedSeconds": meta.mtime(), "modifiedNanoseconds": meta.mtime_nsec() });
    fs::write(sector.path("params").join(format!("{params}.checked")), record.to_string()).unwrap();
    assert_eq!(list("32GiB")["files"][1]["checked"], true);
}

#[test]
fn generated_parameters_are_not_listed() {
    let exited = Sector::new().engine(&["params", "2KiB", "--list"]);
    assert_eq!((exited.code, exited.stdout.as_str()), (Some(2), ""));
    assert!(exited.stderr.contains("`sealflow-engine params 2KiB` generates them"), "{}", exited.stderr);
}

fn missing_file_name(stderr: &str) -> String {
    stderr.split_whitespace().find(|word| word.starts_with("v28-")).unwrap().to_owned()
}

fn receipt() -> Value {
    json!({
        "v": 1, "sector": "t01000/7", "size": "2KiB", "ticket": "01".repeat(32), "seed": "02".repeat(32),
        "commD": "03".repeat(32), "commR": "04".repeat(32), "proof": "AAAA", "more": {},
    })
}

#[test]
fn invalid_receipts_are_refused() {
    let sector = Sector::new();
    let path = sector.path("receipt.json");
    let verify = |text: &str| {
        fs::write(&path, text).unwrap();
        sector.engine(&["verify", path.to_str().unwrap()])
    };
    let changed = |key: &str, value: Value| {
        let mut receipt = receipt();
        receipt[key] = value;
        receipt.to_string()
    };
    for text in [
        String::new(),
        "garbage".to_owned(),
        "[]".to_owned(),
        changed("v", json!(2)),
        changed("sector", json!("t01000")),
        changed("size", json!("1KiB")),
        changed("commR", json!("04")),
        changed("proof", json!("not base64!")),
        changed("seed", Value::Null),
    ] {
        let exited = verify(&text);
        assert_eq!(exited.code, Some(2), "{text}: {}", exited.stderr);
        assert!(exited.stdout.is_empty() && exited.stderr.lines().count() == 1, "{}", exited.stderr);
    }
    assert_eq!(sector.engine(&["verify", "/nowhere/receipt.json"]).code, Some(2));
    assert_eq!(verify(&receipt().to_string()).code, Some(5), "a receipt, but no verifying key");
}
