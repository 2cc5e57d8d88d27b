//! How many partitions of a proof are computed at a time.

use filecoin_proofs_api::seal::VanillaSealProof;

/// `BELLMAN_PROOF_THREADS`, the name operators know; the stock library ignores it. `None` = all at once.
pub fn at_a_time(set: Option<&str>) -> Result<Option<usize>, String> {
    match set.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(format!("BELLMAN_PROOF_THREADS is {text:?}; it must be a whole number of at least 1")),
        },
    }
}

/// `items` in batches of at most `at_a_time`, in order.
fn slices<T>(items: Vec<T>, at_a_time: usize) -> Vec<Vec<T>> {
    let mut rest = items.into_iter();
    std::iter::from_fn(|| {
        let batch: Vec<T> = rest.by_ref().take(at_a_time).collect();
        (!batch.is_empty()).then_some(batch)
    })
    .collect()
}

/// The vanilla proofs of a sector (one element for each partition) in batches of at most `at_a_time` partitions.
pub fn split(proofs: VanillaSealProof, at_a_time: Option<usize>) -> Vec<VanillaSealProof> {
    macro_rules! split {
        ($($size:ident),*) => {
            match proofs {
                $(VanillaSealProof::$size(partitions) => {
                    let at_a_time = at_a_time.unwrap_or(partitions.len().max(1));
                    slices(partitions, at_a_time).into_iter().map(VanillaSealProof::$size).collect()
                })*
            }
        };
    }
    split!(StackedDrg2KiBV1, StackedDrg8MiBV1, StackedDrg512MiBV1, StackedDrg32GiBV1, StackedDrg64GiBV1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_once_and_in_order() {
        for partitions in 0..12 {
            for at_a_time in 1..14 {
                let batches = slices((0..partitions).collect(), at_a_time);
                assert_eq!(batches.len(), usize::div_ceil(partitions, at_a_time));
                assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() <= at_a_time));
                assert_eq!(batches.concat(), (0..partitions).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn ten_partitions() {
        let lengths = |at_a_time| slices(vec![(); 10], at_a_time).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(10), [10]);
        assert_eq!(lengths(4), [4, 4, 2]);
        assert_eq!(lengths(1), [1; 10]);
    }

    #[test]
    fn proofs_of_partitions_without_challenges() {
        let proof = |n: usize| VanillaSealProof::StackedDrg32GiBV1(vec![Vec::new(); n]);
        let lengths = |at_a_time| -> Vec<usize> {
            split(proof(10), at_a_time)
                .iter()
                .map(|batch| match batch {
                    VanillaSealProof::StackedDrg32GiBV1(partitions) => partitions.len(),
                    _ => panic!("another size"),
                })
                .collect()
        };
        assert_eq!(lengths(None), [10]);
        assert_eq!(lengths(Some(3)), [3, 3, 3, 1]);
    }

    #[test]
    fn the_variable() {
        assert_eq!(at_a_time(None), Ok(None));
        assert_eq!(at_a_time(Some(" ")), Ok(None));
        assert_eq!(at_a_time(Some("3")), Ok(Some(3)));
        for wrong in ["0", "-1", "three", "1.5"] {
            assert!(at_a_time(Some(wrong)).unwrap_err().contains(wrong));
        }
    }
}
