//! `sealflow-engine check-copy <receipt.json> <node directory>`: checks a stored sector; needs only its receipt and the
//! storage node.

mod file_checker;
mod finding;
pub mod options;
mod regular_file;
mod report;
mod stored_names;

use crate::copy::staging::open_node;
use crate::failure::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::sizes::REPLICA;
use crate::vanilla::{self, StoredSector};
use file_checker::FileChecker;
use finding::Finding;
use options::Options;
use report::Report;
use std::path::Path;

/// Checks the sector and prints one line per check, or JSON. Fails with `ProofInvalid` if anything is wrong.
pub fn run(receipt: &Path, node: &Path, options: Options) -> Outcome<()> {
    let path = receipt;
    let receipt = Receipt::read(path)?;
    stored_names::check(&receipt).map_err(|reason| Failure::BadInput(format!("{}: {reason}", path.display())))?;
    // Otherwise the files of a node that is not mounted would be reported as missing.
    drop(open_node(node)?);

    let mut report = Report::new(&receipt, options);
    report.add(
        "proof",
        match receipt.verify() {
            Ok(()) => Finding::Good("valid".to_owned()),
            Err(reason) => Finding::Bad(reason),
        },
    );
    let mut checker = FileChecker::new(&receipt, options);
    for file in &receipt.files {
        report.add(&file.name, checker.check(node, file));
    }
    report.add("p_aux", check_p_aux(&receipt, node));
    report.add("challenges", check_challenges(&receipt, node));
    report.finish(checker.bytes)
}

fn check_p_aux(receipt: &Receipt, node: &Path) -> Finding {
    let p_aux = match regular_file::read(&node.join(stored_names::relative_path(&receipt.sector, "p_aux"))) {
        Ok(bytes) => bytes,
        Err(finding) => return finding,
    };
    match vanilla::check_comm_r(&p_aux, receipt.comm_r) {
        Ok(()) => Finding::Good("is commR".to_owned()),
        Err(reason) => Finding::Bad(reason),
    }
}

fn check_challenges(receipt: &Receipt, node: &Path) -> Finding {
    let Receipt { sector, size, comm_r, .. } = receipt;
    let impossible = |reason: String| Finding::Bad(format!("cannot be proved: {reason}"));
    for name in size.retained_files().iter().filter(|name| *name != "t_aux") {
        match regular_file::open(&node.join(stored_names::relative_path(sector, name))) {
            Ok(_) => {}
            Err(Finding::Bad(reason)) => return impossible(reason),
            Err(other) => return other,
        }
    }
    let p_aux = node.join(stored_names::relative_path(sector, "p_aux"));
    if let Ok(Err(reason)) = regular_file::read(&p_aux).map(|bytes| vanilla::compute_comm_r(&bytes)) {
        return impossible(reason);
    }
    let replica = node.join(stored_names::relative_path(sector, REPLICA));
    let cache = p_aux.parent().expect("it is in a directory");
    match vanilla::prove_random_leaves(&StoredSector { sector, size: *size, comm_r: *comm_r, replica: &replica, cache })
    {
        Ok(Ok(leaves)) => Finding::Good(format!("{leaves} leaves proved")),
        Ok(Err(reason)) => Finding::Bad(reason),
        Err(fault) => Finding::Unknown(fault),
    }
}
