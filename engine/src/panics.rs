//! Catches panics that are results: on bytes that are not a field element, or on a root that does not match, the
//! library panics instead of returning an error. It also does so in threads of rayon, which passes the panic on to the
//! thread that waits for them.

use std::any::Any;
use std::panic::{catch_unwind, UnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

static EXPECTED: AtomicBool = AtomicBool::new(false);

/// Runs `work`. A panic in this thread or in one of rayon's is returned as its message. Only one call may run at a
/// time.
pub fn catch<T>(work: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    EXPECTED.store(true, Ordering::SeqCst);
    let result = catch_unwind(work);
    EXPECTED.store(false, Ordering::SeqCst);
    result.map_err(|panic| text_of(&*panic))
}

/// Whether [`catch`] will catch a panic of the current thread. It never does in the engine's own threads, which have
/// names: without them the process must end.
pub fn is_expected() -> bool {
    EXPECTED.load(Ordering::SeqCst) && matches!(thread::current().name(), None | Some("main"))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_returned_as_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| -> u8 { panic!("root does not fit") }), Err("root does not fit".to_owned()));
        assert_eq!(catch(|| -> u8 { panic!("leaf {}", 3) }), Err("leaf 3".to_owned()));
        assert!(!is_expected());
    }
}
