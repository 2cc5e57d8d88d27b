//! Splits the partitions of a proof into batches that are computed one after the other.

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

/// `items`, one for each partition, in batches of at most `batch_size`, in order.
pub fn split<T>(items: Vec<T>, batch_size: Option<usize>) -> Vec<Vec<T>> {
    let batch_size = batch_size.unwrap_or(items.len());
    let mut rest = items.into_iter();
    std::iter::from_fn(|| {
        let batch: Vec<T> = rest.by_ref().take(batch_size).collect();
        (!batch.is_empty()).then_some(batch)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_contain_every_item_once_and_in_order() {
        for partitions in 0..12 {
            for batch_size in 1..14 {
                let batches = split((0..partitions).collect(), Some(batch_size));
                assert_eq!(batches.len(), usize::div_ceil(partitions, batch_size));
                assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() <= batch_size));
                assert_eq!(batches.concat(), (0..partitions).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn batch_lengths() {
        let lengths = |batch_size| split(vec![(); 10], batch_size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(None), [10]);
        assert_eq!(lengths(Some(10)), [10]);
        assert_eq!(lengths(Some(4)), [4, 4, 2]);
        assert_eq!(lengths(Some(1)), [1; 10]);
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
