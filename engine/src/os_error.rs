//! Errors of the operating system, recognized by their number: errors are wrapped or turned into text on their way up, in the
//! proofs library even into the text of a panic, and `std::io::ErrorKind` does not survive that. The numbers are Linux's.

use rustix::io::Errno;
use std::io;

/// What an error means for whoever decides whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A full disk, or a quota that is used up.
    NoSpace,
    /// The file system behind the path is not there any more.
    MountGone,
    Other,
}

pub fn meaning(errno: Errno) -> Meaning {
    match errno {
        Errno::NOSPC | Errno::DQUOT => Meaning::NoSpace,
        // A network file system that was exported anew; a FUSE file system whose process has ended; a block device that is gone.
        Errno::STALE | Errno::NOTCONN | Errno::NODEV => Meaning::MountGone,
        _ => Meaning::Other,
    }
}

/// The number of an I/O error, also of one that another I/O error wraps.
pub fn of_io(error: &io::Error) -> Option<Errno> {
    match error.raw_os_error() {
        Some(number) => Some(Errno::from_raw_os_error(number)),
        // `source()` would skip the wrapped error itself.
        None => of_io(error.get_ref()?.downcast_ref::<io::Error>()?),
    }
}

/// The number in a text that quotes a `std::io::Error`: `(os error 28)` when it was displayed, `Os { code: 28, …` when debugged.
pub fn of_text(text: &str) -> Option<Errno> {
    ["(os error ", "Os { code: "].into_iter().find_map(|sign| {
        let (_, rest) = text.split_once(sign)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        // A panic's text may hold any digits; numbers of errors are small.
        let number = digits.parse().ok().filter(|number| (1..4096).contains(number))?;
        Some(Errno::from_raw_os_error(number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let quota = || io::Error::from_raw_os_error(122);
        assert_eq!(of_io(&quota()), Some(Errno::DQUOT));
        assert_eq!(of_io(&io::Error::other(io::Error::other(quota()))), Some(Errno::DQUOT));
        assert_eq!(of_io(&io::ErrorKind::UnexpectedEof.into()), None);
        assert_eq!(of_text(&format!("writing x: {}", quota())), Some(Errno::DQUOT));
        assert_eq!(of_text(&format!("{:?}", quota())), Some(Errno::DQUOT));
        for text in ["", "from_repr failure", "(os error )", "(os error 99999999999)", "(os error 0)"] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn meanings() {
        assert_eq!(meaning(Errno::NOSPC), Meaning::NoSpace);
        assert_eq!(meaning(Errno::DQUOT), Meaning::NoSpace);
        assert_eq!(meaning(Errno::STALE), Meaning::MountGone);
        assert_eq!(meaning(Errno::IO), Meaning::Other);
    }
}
