//! The engine's own process: its limits, its CPUs, and what /proc reports about it.

use crate::failure::{Failure, IoContext, Outcome};
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use rustix::thread::{sched_setaffinity, CpuSet};
use std::collections::HashSet;
use std::fs;

/// Restricts this process, and every thread that it starts later, to these CPUs, and rayon to as many threads. It must
/// be called before the first thread is started. A CPU that is not available is an error: on other cores the phase
/// would take CPU time from the work that `cores` protects.
pub fn pin_to_cpus(cores: &[usize]) -> Outcome<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        if core >= CpuSet::MAX_CPU {
            return Err(Failure::BadInput(format!("cores: there is no CPU {core}")));
        }
        set.set(core);
    }
    sched_setaffinity(None, &set)
        .map_err(|error| Failure::BadInput(format!("cores: cannot run on CPUs {cores:?}: {error}")))?;
    // The kernel silently ignores CPUs that do not exist or that the container may not use.
    let granted = rustix::thread::sched_getaffinity(None).context("cores: reading the affinity mask")?;
    if let Some(core) = cores.iter().find(|&&core| !granted.is_set(core)) {
        Err(Failure::BadInput(format!("cores: CPU {core} is not available to this process")))
    } else {
        std::env::set_var("RAYON_NUM_THREADS", set.count().to_string());
        Ok(())
    }
}

/// How many cores this process may use. CPUs that share one (hyperthreads) count once.
pub fn count_cores() -> usize {
    let Ok(mask) = rustix::thread::sched_getaffinity(None) else { return 1 };
    let core_of = |cpu: usize| {
        let siblings = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        fs::read_to_string(siblings).unwrap_or_else(|_| cpu.to_string())
    };
    let cores: HashSet<String> = (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu)).map(core_of).collect();
    cores.len().max(1)
}

/// How many bytes of memory this process may lock, after raising the soft limit to the hard one; `None`: any number.
pub fn locked_memory_room() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Memlock);
    let is_raised = setrlimit(Resource::Memlock, Rlimit { current: maximum, maximum }).is_ok();
    let room = if is_raised { maximum } else { current };
    room.filter(|_| !has_capability(CAP_IPC_LOCK))
}

/// Whoever has it may lock any number of bytes (capabilities(7)).
const CAP_IPC_LOCK: u32 = 14;

fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    u64::from_str_radix(effective.trim(), 16).is_ok_and(|mask| mask >> number & 1 == 1)
}

/// Raises the soft limit of open files to the hard limit, as the library maps every layer and subtree at once. Only
/// warns if that fails.
pub fn raise_open_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::warn!("cannot raise the limit of open files: {error}");
    }
}

/// When this process started, in clock ticks since boot (field 22 of /proc/self/stat). Together with the boot ID it
/// distinguishes a process from a later one with the same ID.
pub fn start_time() -> u64 {
    stat_field(22)
}

/// User and system CPU time of all threads, in seconds.
pub fn cpu_seconds() -> f64 {
    (stat_field(14) + stat_field(15)) as f64 / rustix::param::clock_ticks_per_second() as f64
}

pub fn rss_bytes() -> u64 {
    labelled_number("/proc/self/status", "VmRSS:") * 1024
}

pub fn peak_rss_bytes() -> u64 {
    labelled_number("/proc/self/status", "VmHWM:") * 1024
}

/// Bytes read and written by this process through system calls (rchar + wchar).
pub fn io_bytes() -> u64 {
    labelled_number("/proc/self/io", "rchar:") + labelled_number("/proc/self/io", "wchar:")
}

pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or(String::new(), |id| id.trim().to_owned())
}

pub fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map_or(String::new(), |link| link.to_string_lossy().into_owned())
}

/// Field `number` (counted from 1, at least 3) of /proc/self/stat; 0 if it cannot be read. Field 2, the program's name,
/// may contain spaces, so the fields are counted from its closing parenthesis.
fn stat_field(number: usize) -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(number - 3).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The number after `label` in a file of /proc; 0 if it cannot be read.
fn labelled_number(path: &str, label: &str) -> u64 {
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
    fn proc_files_are_parsed() {
        assert!(start_time() > 0 && count_cores() > 0);
        assert!(rss_bytes() > 0 && peak_rss_bytes() >= rss_bytes() / 2);
        assert_eq!(boot_id().len(), 36);
        assert!(pid_namespace().starts_with("pid:["));
    }
}
