//! What Linux says of processes, cores and the machine.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Result;

/// The time that a process has spent on processors so far.
pub(crate) fn processor_time(process: u32) -> Result<Duration> {
    // Nanoseconds for each thread; `stat` counts in hundredths of a second.
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end meanwhile.
        let Ok(line) = fs::read_to_string(thread?.path().join("schedstat")) else {
            continue;
        };
        let nanoseconds = line.split(' ').next().and_then(|word| word.parse().ok());
        sum += Duration::from_nanos(nanoseconds.ok_or("cannot read `schedstat`")?);
    }
    Ok(sum)
}

/// The resident memory of a process, in KiB.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse().ok())
        .ok_or_else(|| "cannot read `VmRSS`".into())
}

/// Keeps this process, with all its threads to come, on one core. On a machine with a single core
/// it is there already.
pub(crate) fn stay_on_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    let _ = sched_setaffinity(None, &cores);
}

/// Allows as many open sockets as the system lets this user have.
pub(crate) fn allow_many_sockets() -> Result {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?)
}
