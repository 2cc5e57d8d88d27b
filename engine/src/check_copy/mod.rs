//! `sealflow-engine check-copy <receipt.json> <node directory>`: checks a stored sector; needs only its receipt and the
//! storage node.

mod file_checker;
mod finding;
mod node;
pub mod options;
mod report;
mod stored_names;

use crate::damage::Damage;
use crate::failure::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::sizes::REPLICA;
use crate::vanilla::{self, StoredSector};
use file_checker::FileChecker;
use finding::Finding;
use node::Node;
use options::Options;
use report::Report;
use std::path::Path;

/// Checks the sector and prints one line per check, or JSON. Fails with `ProofInvalid` if anything is wrong.
pub fn run(receipt: &Path, node: &Path, options: Options) -> Outcome<()> {
    let path = receipt;
    let receipt = Receipt::read(path)?;
    stored_names::check(&receipt).map_err(|reason| Failure::BadInput(format!("{}: {reason}", path.display())))?;
    let node = Node::open(node)?;

    let mut report = Report::new(&receipt, options);
    report.add("proof", finding(receipt.verify(), |()| "valid".to_owned()));
    let mut checker = FileChecker::new(&receipt, options);
    for file in &receipt.files {
        report.add(&file.name, checker.check(&node, file));
    }
    report.add("p_aux", check_p_aux(&receipt, &node));
    report.add("challenges", check_challenges(&receipt, &node));
    report.finish(checker.bytes)
}

/// The finding of a check that a fault of the machine may prevent.
fn finding<T>(checked: Outcome<Result<T, Damage>>, describe: impl FnOnce(T) -> String) -> Finding {
    match checked {
        Ok(Ok(good)) => Finding::Good(describe(good)),
        Ok(Err(damage)) => Finding::Bad(damage),
        Err(failure) => Finding::NotChecked(failure),
    }
}

fn check_p_aux(receipt: &Receipt, node: &Node) -> Finding {
    let p_aux = match node.read(&stored_names::relative_path(&receipt.sector, "p_aux")) {
        Ok(bytes) => bytes,
        Err(finding) => return finding,
    };
    finding(Ok(vanilla::check_comm_r(&p_aux, receipt.comm_r)), |()| "is commR".to_owned())
}

fn check_challenges(receipt: &Receipt, node: &Node) -> Finding {
    let Receipt { sector, size, comm_r, .. } = receipt;
    let impossible = |damage: Damage| Finding::Bad(damage.context("cannot be proved"));
    for name in size.retained_files().iter().filter(|name| *name != "t_aux") {
        match node.open_file(&stored_names::relative_path(sector, name)) {
            Ok(_) => {}
            Err(Finding::Bad(damage)) => return impossible(damage),
            Err(other) => return other,
        }
    }
    let p_aux = stored_names::relative_path(sector, "p_aux");
    if let Ok(Err(damage)) = node.read(&p_aux).map(|bytes| vanilla::compute_comm_r(&bytes)) {
        return impossible(damage);
    }
    let (replica, p_aux) = (node.path_of(&stored_names::relative_path(sector, REPLICA)), node.path_of(&p_aux));
    let cache = p_aux.parent().expect("it is in a directory");
    let stored = StoredSector { sector, size: *size, comm_r: *comm_r, replica: &replica, cache };
    finding(vanilla::prove_random_leaves(&stored), |leaves| format!("{leaves} leaves proved"))
}
