//! What the engine asks of the kernel about itself, all of it from /proc, and what it sets for itself.

use crate::failure::{Failure, IoContext, Outcome};
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use rustix::thread::{sched_setaffinity, CpuSet};
use std::fs;

/// Runs this process, and every thread that it will start, on these CPUs only; rayon gets as many threads. Must come before
/// the first thread. Fails closed: a phase on the wrong cores would starve the host that `cores` was meant to protect.
pub fn run_on(cores: &[usize]) -> Outcome<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        if core >= CpuSet::MAX_CPU {
            return Err(Failure::BadInput(format!("cores: there is no CPU {core}")));
        }
        set.set(core);
    }
    sched_setaffinity(None, &set)
        .map_err(|error| Failure::BadInput(format!("cores: cannot run on CPUs {cores:?}: {error}")))?;
    // The kernel silently drops CPUs that do not exist, or that the container may not use.
    let granted = rustix::thread::sched_getaffinity(None).context("cores: reading the affinity mask")?;
    if let Some(core) = cores.iter().find(|&&core| !granted.is_set(core)) {
        Err(Failure::BadInput(format!("cores: CPU {core} is not there for this process")))
    } else {
        std::env::set_var("RAYON_NUM_THREADS", set.count().to_string());
        Ok(())
    }
}

/// Raises the soft limit of open files to the hard one: the library maps every layer and subtree at once.
pub fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::warn!("the limit of open files stays as it is: {error}");
    }
}

/// Field 22 of /proc/self/stat: clock ticks since boot. With the boot ID it distinguishes a process from a later one with the same ID.
pub fn start_time() -> u64 {
    stat_field(22)
}

/// CPU seconds, user and system, of all threads.
pub fn cpu_seconds() -> f64 {
    (stat_field(14) + stat_field(15)) as f64 / rustix::param::clock_ticks_per_second() as f64
}

pub fn rss_bytes() -> u64 {
    labelled("/proc/self/status", "VmRSS:") * 1024
}

pub fn peak_rss_bytes() -> u64 {
    labelled("/proc/self/status", "VmHWM:") * 1024
}

/// Bytes read and written by this process through system calls (rchar + wchar).
pub fn io_bytes() -> u64 {
    labelled("/proc/self/io", "rchar:") + labelled("/proc/self/io", "wchar:")
}

pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or(String::new(), |id| id.trim().to_owned())
}

pub fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map_or(String::new(), |link| link.to_string_lossy().into_owned())
}

/// Field `number` (from 1) of /proc/self/stat. The second one, the program's name, may hold spaces: count behind its bracket.
fn stat_field(number: usize) -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(number - 3).and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn labelled(path: &str, label: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_itself() {
        assert!(start_time() > 0);
        assert!(rss_bytes() > 0 && peak_rss_bytes() >= rss_bytes() / 2);
        assert_eq!(boot_id().len(), 36);
        assert!(pid_namespace().starts_with("pid:["));
    }
}
