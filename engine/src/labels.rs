//! How P1 computes labels: on one core, or on several, where threads gather the parents of the nodes to come for the one
//! that hashes ("producers" of what the library calls multicore SDR). The labels are the same.

use crate::environment;
use crate::job::Job;
use crate::machine;

/// Whether this build can use several cores.
pub const MULTICORE: bool = cfg!(feature = "multicore-sdr");

const USE_MULTICORE: &str = "FIL_PROOFS_USE_MULTICORE_SDR";
const PRODUCERS: &str = "FIL_PROOFS_MULTICORE_SDR_PRODUCERS";
/// The library's default: more of them find nothing to do.
const MAX_PRODUCERS: usize = 3;

/// Tells the library which way to go, unless the operator's own variables do. It must be called before the library is
/// first used. Returns the number of producers; 0: one core computes the labels.
pub fn choose_way(job: &Job) -> usize {
    let wanted = job.producers.unwrap_or_else(|| machine::count_cores().saturating_sub(1).min(MAX_PRODUCERS));
    let is_on = environment::given(USE_MULTICORE).map_or(wanted > 0, |given| environment::is_on(&given));
    let producers = match environment::given(PRODUCERS) {
        _ if !MULTICORE || !is_on => 0,
        // What is no number is left to the library, which refuses it.
        Some(given) => given.to_str().and_then(|given| given.parse().ok()).unwrap_or(1),
        None => wanted.max(1),
    };
    // Without producers the library would wait for them forever.
    environment::set(USE_MULTICORE, if producers > 0 { "1" } else { "0" });
    if environment::given(PRODUCERS).is_none() {
        environment::set(PRODUCERS, &producers.to_string());
    }
    if producers > 0 {
        expect_locked_layers(job);
    }
    producers
}

/// The library locks both layers in memory if it may. If not, it says nothing and goes on: they may then be swapped out.
fn expect_locked_layers(job: &Job) {
    let layers = 2 * job.size.bytes();
    if let Some(room) = machine::locked_memory_room().filter(|&room| room < layers) {
        log::warn!("two layers are {layers} bytes, of which only {room} may be locked in memory (ulimit -l)");
    }
}
