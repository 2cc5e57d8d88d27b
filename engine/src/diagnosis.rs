//! Tells damage from faults of the machine. In an error the fault takes precedence: a lost mount must not throw away days
//! of work.

use crate::damage::Damage;
use crate::failure::{Failure, IoContext, Outcome};
use crate::os_error;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The damage that made the library fail. Fails if it was a fault of the machine, which may show only in the `files`
/// that the library has read: it often tests with `Path::exists`, which hides why a file cannot be reached.
pub fn of_library<P: AsRef<Path>>(
    what: impl Display,
    error: &anyhow::Error,
    files: impl IntoIterator<Item = P>,
) -> Outcome<Damage> {
    let damage = of_error(what, error)?;
    for path in files {
        let path = path.as_ref();
        fs::metadata(path).and_then(|_| File::open(path)).context(format_args!("reading {}", path.display()))?;
    }
    Ok(damage)
}

/// The damage of a JSON file that cannot be parsed.
pub fn of_json(what: impl Display, error: serde_json::Error) -> Outcome<Damage> {
    of_error(what, &error.into())
}

/// An error with a number is one of the operating system. Of the others, two kinds are about a file's content.
fn of_error(what: impl Display, error: &anyhow::Error) -> Outcome<Damage> {
    let message = format!("{what}: {error:#}");
    let is_content = |kind| matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData);
    match os_error::errno_of_library(error, &message) {
        None if os_error::io_errors(error).all(|cause| is_content(cause.kind())) => Ok(Damage::found(message)),
        errno => Err(Failure::from_errno(errno, message)),
    }
}

/// Does `work` again if it finds damage: a fault that hides behind an error without a number, see [`of_library`], may be
/// over before it is looked for.
pub fn confirm<T>(mut work: impl FnMut() -> Outcome<Result<T, Damage>>) -> Outcome<Result<T, Damage>> {
    match work()? {
        Err(damage) => {
            log::warn!("{damage}; trying once more");
            work()
        }
        done => Ok(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_machine_is_no_damage() {
        for (number, kind) in [(5, "PassingFault"), (116, "PassingFault"), (2, "PassingFault"), (28, "NoSpace")] {
            let fault = || io::Error::from_raw_os_error(number);
            for error in [
                anyhow::Error::from(fault()).context("failed to restore contents of t_aux"),
                anyhow::Error::from(io::Error::other(fault())).context("failed to read"),
                anyhow::anyhow!("failed to read the full range: {}", fault()),
                anyhow::anyhow!("called `Result::unwrap()` on an `Err` value: {:?}", fault()),
            ] {
                assert_eq!(of_error("P3", &error).unwrap_err().kind(), kind, "{error:#}");
            }
        }
        let timeout = anyhow::Error::from(io::Error::from(io::ErrorKind::TimedOut));
        assert_eq!(of_error("P3", &timeout).unwrap_err().kind(), "PassingFault");
    }

    #[test]
    fn wrong_content_is_damage() {
        let end = anyhow::Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)).context("failed to read");
        let point = anyhow::Error::from(io::Error::new(io::ErrorKind::InvalidData, "not on curve"));
        for error in [anyhow::anyhow!("Invalid vanilla proof generated"), end, point] {
            let damage = of_error("P3", &error).unwrap();
            assert_eq!(damage.to_string(), format!("P3: {error:#}"));
        }
    }

    #[test]
    fn files_that_cannot_be_reached_are_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let (file, looped) = (dir.path().join("file"), dir.path().join("loop"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&looped, &looped).unwrap();
        let hidden = || anyhow::anyhow!("new_from_disk can be used only for already existing storages");
        assert!(of_library("P3", &hidden(), [&file]).is_ok());
        assert_eq!(of_library("P3", &hidden(), [&file, &looped]).unwrap_err().kind(), "PassingFault");
    }

    #[test]
    fn damage_must_be_found_twice() {
        let damaged = || Ok(Err::<(), _>(Damage::found("x")));
        assert_eq!(confirm(damaged), damaged());
        let mut first = true;
        assert_eq!(confirm(|| if std::mem::take(&mut first) { damaged() } else { Ok(Ok(())) }), Ok(Ok(())));
        let stale = || Err::<Result<(), Damage>, _>(Failure::PassingFault("stale".to_owned()));
        assert_eq!(confirm(stale), stale());
    }
}
