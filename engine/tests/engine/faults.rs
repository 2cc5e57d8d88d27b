//! A fault of the machine is reported as such, never as damage: a step back would throw away days of work.

use crate::common::faults::Fault;
use crate::common::stored::*;
use crate::common::*;
use serde_json::Value;
use std::fs;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const ESTALE: i32 = 116;
const EDQUOT: i32 = 122;
const TREE_C: &str = "sc-02-data-tree-c.dat";

fn sector_after(phases: &[&str]) -> Sector {
    let sector = Sector::new();
    for phase in phases {
        sector.run_ok(&format!("1/{phase}-1"), |_| ());
    }
    sector
}

/// Runs an attempt in which a fault occurs. `None` where faults cannot be simulated.
fn run_with(fault: &Fault, sector: &Sector, name: &str) -> Option<ExitedEngine> {
    let attempt = sector.attempt(name, |_| ());
    let mut command = sector.command(&["run", attempt.to_str().unwrap()]);
    fault.add_to(&mut command).then(|| wait_for_exit(command.spawn().unwrap()))
}

/// Runs an attempt in which a fault occurs, and expects it to fail with exit code 3. Returns error.json.
fn fail_with(fault: &Fault, sector: &Sector, name: &str) -> Option<Value> {
    let exited = run_with(fault, sector, name)?;
    assert_eq!(exited.code, Some(3), "{}", exited.stderr);
    Some(read(&sector.at(name).join("error.json")))
}

/// In the trial P3: t_aux is the last file that P2 writes.
fn in_trial(fault: &Fault) -> Fault {
    Fault { when: Some("t_aux".into()), ..fault.clone() }
}

#[test]
fn a_fault_during_the_trial_p3_is_no_step_back() {
    let sector = sector_after(&["P1"]);
    let faults = [(EIO, "PassingFault"), (ESTALE, "PassingFault"), (ENOSPC, "NoSpace"), (EDQUOT, "NoSpace")];
    for (i, (errno, kind)) in faults.into_iter().enumerate() {
        let fault = in_trial(&Fault::new("open", "p_aux", errno));
        let Some(error) = fail_with(&fault, &sector, &format!("1/P2-{}", i + 1)) else { return };
        assert_eq!(error["type"], kind, "{error}");
        assert!(error["message"].as_str().unwrap().contains(&format!("(os error {errno})")), "{error}");
    }
}

/// The library tests with `Path::exists`, which hides the error.
#[test]
fn a_fault_that_the_library_hides_is_no_step_back() {
    let sector = sector_after(&["P1", "P2"]);
    for (name, fault) in [
        ("1/P2-2", in_trial(&Fault::new("stat", TREE_C, ESTALE))),
        // In these two the first call is the engine's own.
        ("1/P3-1", Fault { skip: 1, ..Fault::new("stat", TREE_C, ESTALE) }),
        ("1/P5-1", Fault { skip: 1, ..Fault::new("stat", "/sealed", ESTALE) }),
    ] {
        let Some(error) = fail_with(&fault, &sector, name) else { return };
        assert!(error["message"].as_str().unwrap().ends_with("the mount went away"), "{name}: {error}");
    }
}

#[test]
fn a_hidden_fault_that_is_over_when_it_is_looked_for_does_no_harm() {
    let sector = sector_after(&["P1"]);
    let once = |path| Fault { times: Some(1), ..Fault::new("stat", path, EIO) };
    let Some(exited) = run_with(&in_trial(&once(TREE_C)), &sector, "1/P2-1") else { return };
    assert_eq!(exited.code, Some(0), "{}", exited.stderr);
    for (name, path) in [("1/P3-1", TREE_C), ("1/P5-1", "/sealed")] {
        // The first call is the engine's own.
        let exited = run_with(&Fault { skip: 1, ..once(path) }, &sector, name).unwrap();
        assert_eq!(exited.code, Some(0), "{}", exited.stderr);
        assert!(exited.stderr.contains("trying once more"), "{}", exited.stderr);
    }
}

#[test]
fn a_key_that_cannot_be_read_does_not_make_the_proof_invalid() {
    let Some(stored) = StoredSector::new(0) else { return };
    let receipt = stored.sector.path("receipt.json");
    fs::write(&receipt, stored.receipt.to_string()).unwrap();
    let mut command = stored.sector.command(&["verify", receipt.to_str().unwrap()]);
    command.env("FIL_PROOFS_PARAMETER_CACHE", &stored.parameters);
    // The first call is the engine's own.
    let fault = Fault { skip: 1, ..Fault::new("open", ".vk", EIO) };
    if fault.add_to(&mut command) {
        let exited = wait_for_exit(command.spawn().unwrap());
        assert_eq!(exited.code, Some(3), "{}", exited.stderr);
        assert!(exited.stderr.contains("PassingFault"), "{}", exited.stderr);
    }
}

#[test]
fn a_check_that_could_not_be_made_is_not_bad() {
    let Some(stored) = StoredSector::new(0) else { return };
    let fault = Fault { skip: 1, ..Fault::new("stat", "/s-t01000-7", ESTALE) };
    let Some(checked) = stored.check_with(&fault, &["--json"]) else { return };
    let challenges = checked.check("challenges");
    assert_eq!((&challenges["ok"], &challenges["checked"]), (&false.into(), &false.into()), "{challenges}");
    let found = challenges["found"].as_str().unwrap();
    assert!(found.starts_with("not checked: ") && found.ends_with("the mount went away"), "{found}");
    assert!(checked.check("p_aux")["checked"].is_null());
    // Only what is bad is named.
    assert_eq!(checked.code, Some(6));
    assert!(checked.stderr.trim_end().ends_with("bad: proof"), "{}", checked.stderr);

    let text = stored.check_with(&fault, &[]).unwrap().stdout;
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("??? challenges  not checked: "), "{last}");
}
