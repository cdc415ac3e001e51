//! What the kernel says about processes: time on a processor, and memory.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// Linux counts in these on every machine that we know; `getconf CLK_TCK` says so.
const TICKS_PER_SECOND: u64 = 100;

/// One line of `/proc/<pid>/stat`, as far as it is wanted.
struct Stat {
    parent: u32,
    own: u64,
    /// Of children that have ended and were waited for.
    waited: u64,
}

fn stat(pid: &str) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command stands in parentheses and may hold anything; what follows are numbers.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |i: usize| fields.get(i)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        waited: number(13)? + number(14)?,
    })
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// The time that a process has used, without its children.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    Ok(time(stat(&pid.to_string()).with_context(|| format!("process {pid} is gone"))?.own))
}

/// The time that a process and its children have used, those that have ended included.
pub(crate) fn cpu_with_children(pid: u32) -> Result<Duration> {
    let first = stat(&pid.to_string()).with_context(|| format!("process {pid} is gone"))?;
    let all = fs::read_dir("/proc")?.flatten().filter_map(|entry| stat(entry.file_name().to_str()?));
    let children: u64 = all.filter(|stat| stat.parent == pid).map(|stat| stat.own + stat.waited).sum();
    Ok(time(first.own + first.waited + children))
}

/// The time that children of this task have used that have ended; the difference of two answers is that of the
/// children in between.
pub(crate) fn cpu_of_ended_children() -> Result<Duration> {
    Ok(time(stat("self").context("cannot read the own process")?.waited))
}

/// Resident memory in bytes: now, or the most that it ever was.
pub(crate) fn memory(pid: u32, most: bool) -> Result<u64> {
    let name = if most { "VmHWM:" } else { "VmRSS:" };
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: u64 = line
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("no {name} of process {pid}"))?;
    Ok(kib * 1024)
}

/// A process that was started beside a server. It is killed with this value.
pub(crate) struct Started(pub(crate) std::process::Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Killing what has ended already is an error that says nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps a process, with all threads that it has, on one processor.
pub(crate) fn pin(pid: u32, processor: u32) -> Result<()> {
    let (processor, pid) = (processor.to_string(), pid.to_string());
    let mut taskset = std::process::Command::new("taskset");
    taskset
        .args(["--all-tasks", "--cpu-list", "--pid", &processor, &pid])
        .stdout(std::process::Stdio::null());
    crate::cmd::run(&mut taskset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_and_memory() {
        let pid = std::process::id();
        let before = cpu(pid).unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        assert!(cpu(pid).unwrap() > before);
        assert!(cpu_with_children(pid).unwrap() > before);
        assert!(memory(pid, false).unwrap() > 1024 * 1024);
        assert!(memory(pid, true).unwrap() >= memory(pid, false).unwrap());
    }
}
