//! The progress of the phase: step, fraction, bytes. It is global state because one process computes one phase.
//! [`crate::progress_file`] publishes it.

use std::sync::{Mutex, MutexGuard};

/// Measures how far the current step is, 0…1; `None` when that is not known.
type Gauge = Box<dyn Fn() -> Option<f64> + Send>;
/// Returns the step that a log line of the library marks the beginning of, if any.
type LogParser = fn(&str) -> Option<Step>;

/// A part of a phase. `from` and `to` are fractions of the phase, 0…1.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub name: String,
    pub from: f64,
    pub to: f64,
}

/// The progress at one moment.
pub struct Snapshot {
    pub step: String,
    pub fraction: Option<f64>,
    /// Bytes copied. `None` for phases that do not copy.
    pub bytes: Option<u64>,
    /// What `bytes` will be at the end. `None` for phases that do not copy.
    pub total: Option<u64>,
}

struct State {
    step: Step,
    step_fraction: f64,
    fraction: Option<f64>,
    bytes: Option<u64>,
    total: Option<u64>,
    gauge: Option<Gauge>,
    log_parser: Option<LogParser>,
}

impl State {
    const fn new() -> State {
        let step = Step { name: String::new(), from: 0.0, to: 0.0 };
        State { step, step_fraction: 0.0, fraction: None, bytes: None, total: None, gauge: None, log_parser: None }
    }

    fn begin(&mut self, step: Step) {
        self.step = step;
        self.step_fraction = 0.0;
        self.update_fraction();
    }

    /// The fraction never falls, even when steps arrive out of order.
    fn update_fraction(&mut self) {
        let Step { from, to, .. } = self.step;
        let reached = from + (to - from) * self.step_fraction.clamp(0.0, 1.0);
        self.fraction = Some(self.fraction.unwrap_or(0.0).max(reached));
    }
}

static STATE: Mutex<State> = Mutex::new(State::new());

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Begins the step `name`, which takes the phase from the fraction `from` to `to`, and logs it.
pub fn begin_step(name: impl Into<String>, from: f64, to: f64) {
    let name = name.into();
    log::info!("{name}");
    state().begin(Step { name, from, to });
}

/// Sets how far the current step is, 0…1.
pub fn set_step_fraction(fraction: f64) {
    let mut state = state();
    state.step_fraction = fraction;
    state.update_fraction();
}

/// Sets the number of bytes copied so far. Without it the progress file has what the process has read and written.
pub fn set_bytes(bytes: u64) {
    state().bytes = Some(bytes);
}

/// Announces a copy of `total` bytes.
pub fn begin_copy(total: u64) {
    let mut state = state();
    (state.bytes, state.total) = (Some(0), Some(total));
}

/// Sets the function that measures the current step. Each [`snapshot`] calls it.
pub fn set_gauge(gauge: impl Fn() -> Option<f64> + Send + 'static) {
    state().gauge = Some(Box::new(gauge));
}

/// Sets the function that recognizes steps in the library's log lines.
pub fn set_log_parser(log_parser: LogParser) {
    state().log_parser = Some(log_parser);
}

/// Handles a log line of the library. The logger calls it.
pub fn on_log_line(line: &str) {
    let mut state = state();
    if let Some(step) = state.log_parser.and_then(|log_parser| log_parser(line)) {
        state.begin(step);
    }
}

/// Measures the current step and returns the progress.
pub fn snapshot() -> Snapshot {
    // A gauge may read files (/proc), so it runs without the lock that the phase needs.
    let gauge = state().gauge.take();
    let measured = gauge.as_ref().and_then(|gauge| gauge());
    let mut state = state();
    if let Some(fraction) = measured {
        state.step_fraction = fraction;
        state.update_fraction();
    }
    state.gauge = state.gauge.take().or(gauge);
    Snapshot { step: state.step.name.clone(), fraction: state.fraction, bytes: state.bytes, total: state.total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_never_falls() {
        let mut state = State::new();
        let step = |from, to| Step { name: "x".to_owned(), from, to };
        let mut check = |step: Step, step_fraction: f64, fraction: f64| {
            state.begin(step);
            state.step_fraction = step_fraction;
            state.update_fraction();
            assert!((state.fraction.unwrap() - fraction).abs() < 1e-9);
        };
        check(step(0.2, 0.4), 0.5, 0.3);
        check(step(0.1, 0.2), 1.0, 0.3);
        check(step(0.5, 0.6), 7.0, 0.6);
    }
}
