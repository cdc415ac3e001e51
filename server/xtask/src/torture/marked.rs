//! Processes of one run, found by a mark in their environment: children inherit it wherever they go.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);

/// A variable that no other process of this machine has.
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Self {
        Self(format!("{}-{:016x}", std::process::id(), fastrand::u64(..)))
    }

    /// The value of the variable `TORTURE`.
    pub(super) fn value(&self) -> &str {
        &self.0
    }

    /// Who carries it now: process ids and commands.
    pub(super) fn carriers(&self) -> Vec<String> {
        let wanted = format!("TORTURE={}", self.0);
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter_map(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment.split(|byte| *byte == 0).find(|variable| *variable == wanted.as_bytes())?;
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            Some(format!("{pid} {}", String::from_utf8_lossy(&command).replace('\0', " ")))
        })
        .collect()
    }

    /// Waits until nobody does; answers how long that took.
    pub(super) fn gone(&self, bound: Duration) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            let left = self.carriers();
            if left.is_empty() {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > bound {
                bail!("{} processes outlive their server: {}", left.len(), left.join(", "));
            }
            std::thread::sleep(STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_carrier_is_found_while_it_runs_and_not_afterwards() {
        let mark = Mark::new();
        assert!(mark.carriers().is_empty());
        let mut child = Command::new("cat")
            .env("TORTURE", mark.value())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // The kernel shows a new program a moment before its environment.
        let until = Instant::now() + Duration::from_secs(10);
        let mut carriers = mark.carriers();
        while carriers.is_empty() && Instant::now() < until {
            std::thread::sleep(STEP);
            carriers = mark.carriers();
        }
        assert!(carriers[0].starts_with(&child.id().to_string()), "{carriers:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(mark.gone(Duration::from_secs(1)).is_ok());
    }
}
