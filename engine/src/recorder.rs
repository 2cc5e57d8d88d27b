//! Makes the files that P1 has finished durable and records them in layers.json, while the library computes the next
//! layer.

use crate::digest::FileRecord;
use crate::durable;
use crate::exit;
use crate::failure::{IoContext, Outcome};
use crate::layers::Layers;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the directory is checked for finished files. A layer of a production sector takes 10 minutes or more.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Set when the library logs that it begins with the labels. Then tree-d, which it writes under its final name, is
/// complete.
static LABELS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Declares tree-d complete.
pub fn mark_labels_begun() {
    LABELS_BEGUN.store(true, Ordering::Release);
}

pub struct Recorder {
    library_done: Sender<()>,
    thread: JoinHandle<Layers>,
}

impl Recorder {
    /// Starts a thread that records the files `expected`, in this order, when they are finished. `layers` has those
    /// that are recorded already. A failure to record ends the process.
    pub fn start(expected: Vec<String>, mut layers: Layers) -> Outcome<Recorder> {
        let (library_done, receiver) = channel();
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || loop {
                let is_done = match receiver.recv_timeout(POLL_INTERVAL) {
                    Ok(()) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    // The library has failed, and the process is about to end with its error.
                    Err(RecvTimeoutError::Disconnected) => return layers,
                };
                while let Some(name) = next_finished(&expected, layers.files.len(), is_done) {
                    if let Err(failed) = record(name, &mut layers) {
                        exit::exit_with(&failed);
                    }
                }
                if is_done {
                    return layers;
                }
            })
            .context("starting the recorder thread")?;
        Ok(Recorder { library_done, thread })
    }

    /// Records the remaining files, now that the library has finished, and returns the records of all files.
    pub fn finish(self) -> Vec<FileRecord> {
        // If the thread has ended, `join` reports it.
        let _ = self.library_done.send(());
        self.thread.join().expect("a panic ends the process").files
    }
}

/// The next file to record, if it is finished. The library renames layers to these names when they are complete; tree-d
/// is complete when the labels have begun.
fn next_finished(expected: &[String], recorded: usize, library_is_done: bool) -> Option<&str> {
    let name = expected.get(recorded)?;
    let is_finished = library_is_done
        || match recorded {
            0 => LABELS_BEGUN.load(Ordering::Acquire) || Path::new(&expected[1]).exists(),
            _ => Path::new(name).exists(),
        };
    is_finished.then_some(name)
}

fn record(name: &str, layers: &mut Layers) -> Outcome<()> {
    let path = Path::new(name);
    durable::sync_file(path)?;
    durable::sync_dir(Path::new("."))?;
    let file = FileRecord::of_file(name, path, |_| ()).context(format_args!("hashing {name}"))?;
    layers.files.push(file);
    layers.write()
}
