//! Makes what P1 has finished durable, while the library computes the next layer: fsync, BLAKE3, layers.json.

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

/// How often the directory is looked at. A layer takes 10 minutes and more where it matters.
const EVERY: Duration = Duration::from_millis(500);

/// The library has logged that it begins with the labels: tree-d, which it writes under its final name, is whole.
static LABELS_BEGUN: AtomicBool = AtomicBool::new(false);

pub fn labels_begin() {
    LABELS_BEGUN.store(true, Ordering::Release);
}

pub struct Recorder {
    computed: Sender<()>,
    thread: JoinHandle<Layers>,
}

impl Recorder {
    /// Watches the working directory for the files `expected`, in their order; `layers` names those that are recorded already.
    /// A fault while recording ends the process.
    pub fn start(expected: Vec<String>, mut layers: Layers) -> Outcome<Recorder> {
        let (computed, news) = channel();
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || loop {
                let all = match news.recv_timeout(EVERY) {
                    Ok(()) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    // The library failed: the process is about to end with its error.
                    Err(RecvTimeoutError::Disconnected) => return layers,
                };
                while let Some(name) = next_finished(&expected, layers.files.len(), all) {
                    if let Err(failed) = record(name, &mut layers) {
                        exit::exit_with(&failed);
                    }
                }
                if all {
                    return layers;
                }
            })
            .context("starting the recorder thread")?;
        Ok(Recorder { computed, thread })
    }

    /// The library is done: records what is left and returns everything.
    pub fn finish(self) -> Vec<FileRecord> {
        // If the thread is gone, `join` reports it.
        let _ = self.computed.send(());
        self.thread.join().expect("a panic ends the process").files
    }
}

/// The next file to record, if it is finished. Layers are renamed to their names when they are whole; tree-d is whole when the
/// labels have begun.
fn next_finished(expected: &[String], recorded: usize, all: bool) -> Option<&str> {
    let name = expected.get(recorded)?;
    let finished = all
        || match recorded {
            0 => LABELS_BEGUN.load(Ordering::Acquire) || Path::new(&expected[1]).exists(),
            _ => Path::new(name).exists(),
        };
    finished.then_some(name)
}

fn record(name: &str, layers: &mut Layers) -> Outcome<()> {
    let path = Path::new(name);
    durable::sync_file(path)?;
    durable::sync_dir(Path::new("."))?;
    let file = FileRecord::of_file(name, path, |_| ()).context(format_args!("hashing {name}"))?;
    layers.files.push(file);
    layers.write()
}
