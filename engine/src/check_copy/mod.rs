//! `sealflow-engine check-copy <receipt.json> <node directory>`: checks a stored sector from its receipt and the storage node
//! alone.

mod finding;
mod names;
pub mod options;
mod plain_file;
mod reader;
mod report;

use crate::copy::target::open_node;
use crate::failure::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::sizes::REPLICA;
use crate::vanilla::{self, Stored};
use finding::Finding;
use options::Options;
use reader::Reader;
use report::Report;
use std::path::Path;

pub fn run(receipt: &Path, node: &Path, options: Options) -> Outcome<()> {
    let path = receipt;
    let receipt = Receipt::read(path)?;
    names::check(&receipt).map_err(|reason| Failure::BadInput(format!("{}: {reason}", path.display())))?;
    // Without this a node that is not mounted would be one whose files are gone.
    drop(open_node(node)?);

    let mut report = Report::new(&receipt, options);
    report.add(
        "proof",
        match receipt.verify() {
            Ok(()) => Finding::Good("valid".to_owned()),
            Err(reason) => Finding::Bad(reason),
        },
    );
    let mut reader = Reader::new(&receipt, options);
    for file in &receipt.files {
        report.add(&file.name, reader.check(node, file));
    }
    report.add("p_aux", check_p_aux(&receipt, node));
    report.add("challenges", check_challenges(&receipt, node));
    report.end(reader.bytes)
}

fn check_p_aux(receipt: &Receipt, node: &Path) -> Finding {
    let p_aux = match plain_file::read(&node.join(names::of(&receipt.sector, "p_aux"))) {
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
    let cannot = |reason: String| Finding::Bad(format!("cannot be made: {reason}"));
    for name in size.kept().iter().filter(|name| *name != "t_aux") {
        match plain_file::open(&node.join(names::of(sector, name))) {
            Ok(_) => {}
            Err(Finding::Bad(reason)) => return cannot(reason),
            Err(other) => return other,
        }
    }
    let p_aux = node.join(names::of(sector, "p_aux"));
    if let Ok(Err(reason)) = plain_file::read(&p_aux).map(|bytes| vanilla::comm_r_of(&bytes)) {
        return cannot(reason);
    }
    let replica = node.join(names::of(sector, REPLICA));
    let cache = p_aux.parent().expect("it lies in one");
    match vanilla::prove(&Stored { sector, size: *size, comm_r: *comm_r, replica: &replica, cache }) {
        Ok(Ok(leaves)) => Finding::Good(format!("{leaves} leaves proved")),
        Ok(Err(reason)) => Finding::Bad(reason),
        Err(fault) => Finding::Unknown(fault),
    }
}
