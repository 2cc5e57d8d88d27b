//! What the engine is doing at the moment: step, fraction, bytes. One process computes one phase, so this is the process's;
//! [`crate::progress_file`] shows it to others.

use std::sync::{Mutex, MutexGuard};

/// Says how far the present step is, 0…1, when asked.
type Gauge = Box<dyn Fn() -> Option<f64> + Send>;
/// Turns a log line of the library into the step that it begins.
type Listener = fn(&str) -> Option<Step>;

/// A part of a phase: its name and its share of the phase's time, as fractions of the phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub name: String,
    pub from: f64,
    pub to: f64,
}

/// The present state, as others may see it.
pub struct View {
    pub step: String,
    pub fraction: Option<f64>,
    /// `None`: the phase does not count them itself.
    pub bytes: Option<u64>,
    /// What `bytes` will come to, if that is known.
    pub total: Option<u64>,
}

struct Now {
    step: Step,
    within: f64,
    fraction: Option<f64>,
    bytes: Option<u64>,
    total: Option<u64>,
    gauge: Option<Gauge>,
    listener: Option<Listener>,
}

impl Now {
    const fn new() -> Now {
        let step = Step { name: String::new(), from: 0.0, to: 0.0 };
        Now { step, within: 0.0, fraction: None, bytes: None, total: None, gauge: None, listener: None }
    }

    fn begin(&mut self, step: Step) {
        self.step = step;
        self.within = 0.0;
        self.moved();
    }

    /// The fraction never falls, whatever order steps come in.
    fn moved(&mut self) {
        let Step { from, to, .. } = self.step;
        let reached = from + (to - from) * self.within.clamp(0.0, 1.0);
        self.fraction = Some(self.fraction.unwrap_or(0.0).max(reached));
    }
}

static NOW: Mutex<Now> = Mutex::new(Now::new());

fn now() -> MutexGuard<'static, Now> {
    NOW.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The phase now does `name`, which takes it from the fraction `from` to `to`.
pub fn step(name: impl Into<String>, from: f64, to: f64) {
    let name = name.into();
    log::info!("{name}");
    now().begin(Step { name, from, to });
}

/// The present step is so far (0…1).
pub fn within(part: f64) {
    let mut now = now();
    now.within = part;
    now.moved();
}

/// Bytes copied so far, for phases that copy; the others report what the process has read and written.
pub fn copied(bytes: u64) {
    now().bytes = Some(bytes);
}

/// The phase will copy so many bytes, of which it has copied none yet.
pub fn to_copy(total: u64) {
    let mut now = now();
    (now.bytes, now.total) = (Some(0), Some(total));
}

/// From now on `gauge` gives the progress of the present step whenever it is shown.
pub fn gauge(gauge: impl Fn() -> Option<f64> + Send + 'static) {
    now().gauge = Some(Box::new(gauge));
}

/// From now on the library's log lines go to `listener`.
pub fn listen(listener: Listener) {
    now().listener = Some(listener);
}

/// A log line of the library; called by the logger.
pub fn on_log_line(line: &str) {
    let mut now = now();
    if let Some(step) = now.listener.and_then(|listener| listener(line)) {
        now.begin(step);
    }
}

pub fn view() -> View {
    // A gauge may read files (/proc): not while holding the lock that the phase needs.
    let gauge = now().gauge.take();
    let part = gauge.as_ref().and_then(|gauge| gauge());
    let mut now = now();
    if let Some(part) = part {
        now.within = part;
        now.moved();
    }
    now.gauge = now.gauge.take().or(gauge);
    View { step: now.step.name.clone(), fraction: now.fraction, bytes: now.bytes, total: now.total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_never_falls() {
        let mut now = Now::new();
        let step = |from, to| Step { name: "x".to_owned(), from, to };
        let mut reached = |step: Step, within: f64, fraction: f64| {
            now.begin(step);
            now.within = within;
            now.moved();
            assert!((now.fraction.unwrap() - fraction).abs() < 1e-9);
        };
        reached(step(0.2, 0.4), 0.5, 0.3);
        reached(step(0.1, 0.2), 1.0, 0.3);
        reached(step(0.5, 0.6), 7.0, 0.6);
    }
}
