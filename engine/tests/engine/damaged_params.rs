//! Damaged parameters are named as the cause, whatever the library makes of them; the files here are small ones.

use crate::common::*;
use serde_json::{json, Value};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A sector that has its P3, and parameters that look right: what is recorded of them is true, but they are none.
struct Fixture {
    sector: Sector,
    vk: PathBuf,
    params: PathBuf,
}

/// The library returns an error on these bytes, which are not on the curve.
static NOT_ON_CURVE: [u8; 20_000] = [0x11; 20_000];
/// The library panics at the end of these.
const TOO_SHORT: [u8; 20] = [0; 20];

impl Fixture {
    fn new(params: &[u8]) -> Fixture {
        let sector = Sector::new();
        for phase in ["P1", "P2", "P3"] {
            sector.run_ok(&format!("1/{phase}-1"), |_| ());
        }
        let error = sector.run_failing("1/P4-1", 5, |_| ());
        let name = error["message"].as_str().unwrap().split_whitespace().next().unwrap().to_owned();
        let vk = sector.path("params").join(name);
        let fixture = Fixture { params: vk.with_extension("params"), vk, sector };
        for (path, content) in [(&fixture.vk, &b"a key"[..]), (&fixture.params, params)] {
            fs::write(path, content).unwrap();
            record(path, content);
        }
        fixture
    }

    /// Writes other parameters of the same size, with the same modification time.
    fn rot(&self, content: &[u8]) {
        let modified = fs::metadata(&self.params).unwrap().modified().unwrap();
        fs::write(&self.params, content).unwrap();
        File::options().write(true).open(&self.params).unwrap().set_modified(modified).unwrap();
    }

    fn info(&self) -> Value {
        let exited = self.sector.engine(&["info", "--size", "2KiB"]);
        serde_json::from_str::<Value>(&exited.stdout).unwrap()["sizes"]["2KiB"].take()
    }

    /// Runs P4, which must name the `.params` file as damaged.
    fn prove_with_damage(&self, name: &str) -> String {
        let error = self.sector.run_failing(name, 5, |_| ());
        assert_eq!(error["type"], "MissingParameters");
        let message = error["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("{} is damaged: ", self.params.display())), "{message}");
        assert!(message.contains("(delete it, then `sealflow setup --parameters 2KiB`"), "{message}");
        message
    }
}

/// Writes the note that the generator leaves beside a file.
fn record(path: &Path, content: &[u8]) {
    let meta = fs::metadata(path).unwrap();
    let note = json!({
        "v": 1, "size": meta.size(), "modifiedSeconds": meta.mtime(), "modifiedNanoseconds": meta.mtime_nsec(),
        "digest": digest(content),
    });
    fs::write(format!("{}.checked", path.display()), note.to_string()).unwrap();
}

fn digest(content: &[u8]) -> String {
    blake2b_simd::blake2b(content).to_hex()[..32].to_owned()
}

#[test]
fn parameters_of_another_size_are_found_before_anything_is_proved() {
    let fixture = Fixture::new(&NOT_ON_CURVE);
    assert_eq!(fixture.info(), json!({ "parameters": true, "partitions": 1, "layers": 2 }));
    fixture.rot(&NOT_ON_CURVE[..9_000]);
    let message = fixture.prove_with_damage("1/P4-2");
    assert!(message.contains("it has 9000 bytes, the right file has 20000"), "{message}");
    assert_eq!(fixture.info(), json!({ "parameters": false, "partitions": 1, "layers": 2, "unusable": message }));
    for arguments in [&["params", "2KiB"][..], &["params", "2KiB", "--only-check"]] {
        let exited = fixture.sector.engine(arguments);
        assert_eq!(exited.code, Some(5), "{}", exited.stderr);
        assert!(exited.stderr.contains(&message), "{}", exited.stderr);
    }
}

#[test]
fn parameters_on_which_the_library_fails_are_compared_with_their_digest() {
    for (name, wrong) in [("an error", &NOT_ON_CURVE[..]), ("a panic", &TOO_SHORT[..])] {
        let right = vec![0x22; wrong.len()];
        let fixture = Fixture::new(&right);
        fixture.rot(wrong);
        assert_eq!(fixture.info()["parameters"], true, "{name}: nothing was read");
        let message = fixture.prove_with_damage("1/P4-2");
        let digests = format!("its BLAKE2b is {}, that of the generated file {}", digest(wrong), digest(&right));
        assert!(message.contains(&digests), "{name}: {message}");
        // From now on it is known.
        assert_eq!(fixture.info()["unusable"], message, "{name}");
        assert_eq!(fixture.prove_with_damage("1/P4-3"), message);
        // Until it is right again and is read.
        fixture.rot(&right);
        assert_eq!(fixture.sector.engine(&["params", "2KiB", "--only-check"]).code, Some(0));
        assert_eq!(fixture.info()["parameters"], true, "{name}");
    }
}

#[test]
fn a_failure_with_right_parameters_stays_what_it_is() {
    for (wrong, exit, kind) in [(&NOT_ON_CURVE[..], 3, "PassingFault"), (&TOO_SHORT[..], 101, "Panic")] {
        let fixture = Fixture::new(wrong);
        let error = fixture.sector.run_failing("1/P4-2", exit, |_| ());
        assert_eq!(error["type"], kind);
        assert!(!error["message"].as_str().unwrap().contains("damaged"), "{error}");
        // Without a record nobody knows.
        fs::remove_file(format!("{}.checked", fixture.params.display())).unwrap();
        let error = fixture.sector.run_failing("1/P4-3", exit, |_| ());
        assert_eq!(error["type"], kind);
        assert!(error["message"].as_str().unwrap().contains("cannot be told"), "{error}");
        let checked = fixture.sector.engine(&["params", "2KiB", "--only-check"]);
        let last: Value = serde_json::from_str(checked.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(last["unknown"], json!([fixture.params.file_name().unwrap().to_str().unwrap()]));
    }
}

#[test]
fn only_check_reads_what_seems_to_be_right() {
    let fixture = Fixture::new(&NOT_ON_CURVE);
    let check = || fixture.sector.engine(&["params", "2KiB", "--only-check"]);
    let other = vec![0x33; NOT_ON_CURVE.len()];
    assert_eq!(check().code, Some(0));
    fixture.rot(&other);
    assert_eq!(fixture.sector.engine(&["params", "2KiB"]).code, Some(0), "nothing was read");
    let checked = check();
    assert_eq!(checked.code, Some(5));
    assert!(checked.stderr.contains(&digest(&other)), "{}", checked.stderr);
    fs::write(&fixture.vk, "a kez").unwrap();
    let unusable = fixture.info()["unusable"].as_str().unwrap().to_owned();
    assert!(unusable.starts_with(&format!("{} is damaged: ", fixture.vk.display())), "{unusable}");
}

#[test]
fn parameters_that_cannot_be_read_after_a_failure_are_a_passing_fault() {
    let fixture = Fixture::new(&NOT_ON_CURVE);
    // The first call is the library's.
    let fault = faults::Fault { skip: 1, ..faults::Fault::new("open", ".params", 5) };
    let attempt = fixture.sector.attempt("1/P4-2", |_| ());
    let mut command = fixture.sector.command(&["run", attempt.to_str().unwrap()]);
    if fault.add_to(&mut command) {
        let exited = wait_for_exit(command.spawn().unwrap());
        assert_eq!(exited.code, Some(3), "{}", exited.stderr);
        let error = read(&attempt.join("error.json"));
        assert!(error["message"].as_str().unwrap().starts_with("reading /"), "{error}");
    }
}
