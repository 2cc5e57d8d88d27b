//! Splits the partitions of a proof into batches that are computed one after the other.

use filecoin_proofs_api::seal::VanillaSealProof;

/// Parses `BELLMAN_PROOF_THREADS`, the number of partitions to compute at a time; `None` means all. The name is one
/// that operators know; the library itself ignores it. The error is a message for the user.
pub fn parse_batch_size(set: Option<&str>) -> Result<Option<usize>, String> {
    match set.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(format!("BELLMAN_PROOF_THREADS is {text:?}; it must be a whole number of at least 1")),
        },
    }
}

/// `items` in batches of at most `batch_size`, in order.
fn into_batches<T>(items: Vec<T>, batch_size: usize) -> Vec<Vec<T>> {
    let mut rest = items.into_iter();
    std::iter::from_fn(|| {
        let batch: Vec<T> = rest.by_ref().take(batch_size).collect();
        (!batch.is_empty()).then_some(batch)
    })
    .collect()
}

/// The vanilla proofs of a sector (one element for each partition) in batches of at most `batch_size` partitions.
pub fn split(proofs: VanillaSealProof, batch_size: Option<usize>) -> Vec<VanillaSealProof> {
    macro_rules! split {
        ($($size:ident),*) => {
            match proofs {
                $(VanillaSealProof::$size(partitions) => {
                    let batch_size = batch_size.unwrap_or(partitions.len().max(1));
                    into_batches(partitions, batch_size).into_iter().map(VanillaSealProof::$size).collect()
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
    fn batches_contain_every_item_once_and_in_order() {
        for partitions in 0..12 {
            for batch_size in 1..14 {
                let batches = into_batches((0..partitions).collect(), batch_size);
                assert_eq!(batches.len(), usize::div_ceil(partitions, batch_size));
                assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() <= batch_size));
                assert_eq!(batches.concat(), (0..partitions).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn batch_lengths() {
        let lengths = |batch_size| into_batches(vec![(); 10], batch_size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(10), [10]);
        assert_eq!(lengths(4), [4, 4, 2]);
        assert_eq!(lengths(1), [1; 10]);
    }

    #[test]
    fn vanilla_proofs_are_split_by_partition() {
        let proof = |n: usize| VanillaSealProof::StackedDrg32GiBV1(vec![Vec::new(); n]);
        let lengths = |batch_size| -> Vec<usize> {
            split(proof(10), batch_size)
                .iter()
                .map(|batch| match batch {
                    VanillaSealProof::StackedDrg32GiBV1(partitions) => partitions.len(),
                    _ => panic!("the size changed"),
                })
                .collect()
        };
        assert_eq!(lengths(None), [10]);
        assert_eq!(lengths(Some(3)), [3, 3, 3, 1]);
    }

    #[test]
    fn batch_size_from_the_variable() {
        assert_eq!(parse_batch_size(None), Ok(None));
        assert_eq!(parse_batch_size(Some(" ")), Ok(None));
        assert_eq!(parse_batch_size(Some("3")), Ok(Some(3)));
        for wrong in ["0", "-1", "three", "1.5"] {
            assert!(parse_batch_size(Some(wrong)).unwrap_err().contains(wrong));
        }
    }
}
