//! Panics that are an answer: over bytes that are no element of its field, or a root that does not fit, the library panics, also
//! in threads of rayon, which hands the panic on to whoever waits for them.

use std::any::Any;
use std::panic::{catch_unwind, UnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

static EXPECTED: AtomicBool = AtomicBool::new(false);

/// Runs `work`; a panic of it, in this thread or in one of rayon's, is returned as its text. Not for two at once.
pub fn catch<T>(work: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    EXPECTED.store(true, Ordering::SeqCst);
    let done = catch_unwind(work);
    EXPECTED.store(false, Ordering::SeqCst);
    done.map_err(|panic| text_of(&*panic))
}

/// Whether the panic of this thread will be caught. The engine's own threads, which have names, never are: a process without
/// them must end.
pub fn is_expected() -> bool {
    EXPECTED.load(Ordering::SeqCst) && matches!(thread::current().name(), None | Some("main"))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_answer() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| -> u8 { panic!("root does not fit") }), Err("root does not fit".to_owned()));
        assert_eq!(catch(|| -> u8 { panic!("leaf {}", 3) }), Err("leaf 3".to_owned()));
        assert!(!is_expected());
    }
}
