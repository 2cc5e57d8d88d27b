//! Recognizes operating system errors by their (Linux) number. `std::io::ErrorKind` is lost when errors are wrapped or
//! turned into text, and the proofs library turns some into the message of a panic.

use rustix::io::Errno;
use std::io;

/// What an error means for a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The disk is full, or a quota is exceeded.
    NoSpace,
    /// The file system behind the path has gone away.
    MountGone,
    /// The disk, or the connection to it, has failed.
    DiskFault,
    Other,
}

/// The class of an error number.
pub fn classify(errno: Errno) -> ErrorClass {
    match errno {
        Errno::NOSPC | Errno::DQUOT => ErrorClass::NoSpace,
        // A re-exported NFS file system; a FUSE file system whose process has ended; a block device that was removed.
        Errno::STALE | Errno::NOTCONN | Errno::NODEV => ErrorClass::MountGone,
        Errno::IO | Errno::NXIO | Errno::TIMEDOUT => ErrorClass::DiskFault,
        _ => ErrorClass::Other,
    }
}

/// The number of an I/O error, even if it is wrapped in another I/O error.
pub fn errno_of(error: &io::Error) -> Option<Errno> {
    match error.raw_os_error() {
        Some(number) => Some(Errno::from_raw_os_error(number)),
        // `source()` would skip the wrapped error itself.
        None => errno_of(error.get_ref()?.downcast_ref::<io::Error>()?),
    }
}

/// The number in a text that contains a `std::io::Error`: `(os error 28)` as `Display` formats it, `Os { code: 28, …`
/// as `Debug` does.
pub fn errno_in_text(text: &str) -> Option<Errno> {
    ["(os error ", "Os { code: "].into_iter().find_map(|prefix| {
        let (_, rest) = text.split_once(prefix)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        // The message of a panic may contain any digits; error numbers are below 4096.
        let number = digits.parse().ok().filter(|number| (1..4096).contains(number))?;
        Some(Errno::from_raw_os_error(number))
    })
}

/// The I/O errors in the chain of a library error.
pub fn io_errors(error: &anyhow::Error) -> impl Iterator<Item = &io::Error> {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>())
}

/// The number in a library error, of which `message` is the text: sometimes only the text of an I/O error is kept.
pub fn errno_of_library(error: &anyhow::Error, message: &str) -> Option<Errno> {
    io_errors(error).find_map(errno_of).or_else(|| errno_in_text(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_errors_and_texts() {
        let quota = || io::Error::from_raw_os_error(122);
        assert_eq!(errno_of(&quota()), Some(Errno::DQUOT));
        assert_eq!(errno_of(&io::Error::other(io::Error::other(quota()))), Some(Errno::DQUOT));
        assert_eq!(errno_of(&io::ErrorKind::UnexpectedEof.into()), None);
        assert_eq!(errno_in_text(&format!("writing x: {}", quota())), Some(Errno::DQUOT));
        assert_eq!(errno_in_text(&format!("{:?}", quota())), Some(Errno::DQUOT));
        for text in ["", "from_repr failure", "(os error )", "(os error 99999999999)", "(os error 0)"] {
            assert_eq!(errno_in_text(text), None, "{text}");
        }
    }

    #[test]
    fn classes() {
        assert_eq!(classify(Errno::NOSPC), ErrorClass::NoSpace);
        assert_eq!(classify(Errno::DQUOT), ErrorClass::NoSpace);
        assert_eq!(classify(Errno::STALE), ErrorClass::MountGone);
        assert_eq!(classify(Errno::IO), ErrorClass::DiskFault);
        assert_eq!(classify(Errno::NOENT), ErrorClass::Other);
    }
}
