//! A stored sector, and functions that run check-copy on it.

use super::faults::Fault;
use super::*;
use std::path::PathBuf;

pub const SEALED: &str = "sealed/s-t01000-7";
pub const TREE: &str = "cache/s-t01000-7/sc-02-data-tree-r-last.dat";
pub const P_AUX: &str = "cache/s-t01000-7/p_aux";
pub const T_AUX: &str = "cache/s-t01000-7/t_aux";
pub const CHECKS: [&str; 7] = ["proof", SEALED, P_AUX, T_AUX, TREE, "p_aux", "challenges"];

/// The parameter directory of this machine, if it has the parameters of 2KiB.
pub fn local_parameters() -> Option<PathBuf> {
    let dir = PathBuf::from(std::env::var_os("FIL_PROOFS_PARAMETER_CACHE")?);
    let exited = wait_for_exit({
        // Not `params --only-check`, which reads more than a gigabyte.
        let mut command = Sector::new().command(&["info", "--size", "2KiB"]);
        command.env("FIL_PROOFS_PARAMETER_CACHE", &dir).spawn().unwrap()
    });
    let info: Value = serde_json::from_str(&exited.stdout).unwrap();
    (info["sizes"]["2KiB"]["parameters"] == true).then_some(dir)
}

/// A sector as P6 leaves it on its node, except that the proof is invalid, as computing one takes a minute.
pub struct StoredSector {
    pub sector: Sector,
    pub receipt: Value,
    pub parameters: PathBuf,
}

pub struct Checked {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl StoredSector {
    /// Stores a sector. `appended` bytes after the replica make it a large file. `None` without a verifying key.
    pub fn new(appended: usize) -> Option<StoredSector> {
        let parameters = local_parameters().or_else(|| {
            println!("SKIPPED: no parameters for 2KiB in $FIL_PROOFS_PARAMETER_CACHE (sealflow-engine params 2KiB)");
            None
        })?;
        let sector = Sector::new();
        sector.run_ok("1/P1-1", |_| ());
        sector.run_ok("1/P2-1", |_| ());
        enlarge(&sector, "1/P2-1", appended);
        let p2 = read(&sector.at("1/P2-1/result.json"));
        let files = store(&sector, "1/P5-1");
        let receipt = json!({
            "v": 1, "sector": "t01000/7", "size": "2KiB", "ticket": "01".repeat(32), "seed": "02".repeat(32),
            "commD": p2["outputs"]["commD"], "commR": p2["outputs"]["commR"], "proof": "AAAA", "files": files,
        });
        Some(StoredSector { sector, receipt, parameters })
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.sector.path("node").join(name)
    }

    pub fn check(&self, flags: &[&str]) -> Checked {
        Checked::by(&mut self.command(flags))
    }

    /// Checks the sector while a fault occurs. `None` where faults cannot be simulated.
    pub fn check_with(&self, fault: &Fault, flags: &[&str]) -> Option<Checked> {
        let mut command = self.command(flags);
        fault.add_to(&mut command).then(|| Checked::by(&mut command))
    }

    fn command(&self, flags: &[&str]) -> Command {
        let receipt = self.sector.path("receipt.json");
        fs::write(&receipt, self.receipt.to_string()).unwrap();
        let node = self.sector.path("node");
        let arguments = [&["check-copy", receipt.to_str().unwrap(), node.to_str().unwrap()], flags].concat();
        let mut command = self.sector.command(&arguments);
        command.env("FIL_PROOFS_PARAMETER_CACHE", &self.parameters);
        command
    }

    /// Names of the failed checks other than `proof`. Asserts that every check was reported.
    pub fn bad(&self, flags: &[&str]) -> Vec<String> {
        let checked = self.check(&[flags, &["--json"]].concat());
        assert_eq!(checked.code, Some(6), "{}", checked.stderr);
        let report = checked.report();
        assert_eq!(report["checks"].as_array().unwrap().iter().map(|check| &check["name"]).collect::<Vec<_>>(), CHECKS);
        let mut bad: Vec<String> = checked.bad();
        assert!(
            checked.stderr.contains(&format!("ProofInvalid: t01000/7: bad: {}", bad.join(", "))),
            "{}",
            checked.stderr
        );
        assert_eq!(bad.remove(0), "proof");
        bad
    }
}

impl Checked {
    fn by(command: &mut Command) -> Checked {
        let ExitedEngine { code, stdout, stderr } = wait_for_exit(command.spawn().unwrap());
        Checked { code, stdout, stderr }
    }

    pub fn report(&self) -> Value {
        serde_json::from_str(self.stdout.lines().last().unwrap()).unwrap()
    }

    pub fn bad(&self) -> Vec<String> {
        let report = self.report();
        let checks = report["checks"].as_array().unwrap();
        let bad = checks.iter().filter(|check| check["ok"] == false);
        bad.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    }

    pub fn found(&self, name: &str) -> String {
        self.check(name)["found"].as_str().unwrap().to_owned()
    }

    /// One check of the report.
    pub fn check(&self, name: &str) -> Value {
        let report = self.report();
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone()
    }
}

/// Runs P5 and renames the files of the copy to their final names, as P6 does. Returns `files` of the receipt.
pub fn store(sector: &Sector, p5: &str) -> Value {
    let mut files = sector.run_ok(p5, |_| ())["outputs"]["files"].clone();
    let node = sector.path("node");
    fs::create_dir(node.join("sealed")).unwrap();
    fs::create_dir_all(node.join("cache/s-t01000-7")).unwrap();
    for file in files.as_array_mut().unwrap() {
        let name = file["name"].as_str().unwrap();
        let stored = match name {
            "sealed" => "sealed/s-t01000-7".to_owned(),
            name => format!("cache/s-t01000-7/{name}"),
        };
        fs::rename(node.join(STAGING).join(name), node.join(&stored)).unwrap();
        file["name"] = json!(stored);
    }
    files
}
