//! A real server that a task starts, asks and ends; torture and bench share it.

pub(crate) mod client;
pub(crate) mod live;
pub(crate) mod process;
pub(crate) mod server;

use std::path::PathBuf;

use anyhow::Result;

use crate::cmd;

/// Builds the server and answers where it is.
pub(crate) fn vt(release: bool) -> Result<PathBuf> {
    let mut build = cmd::cargo();
    build.args(["build", "-p", "server", "--bin", "vt"]);
    if release {
        build.arg("--release");
    }
    cmd::run(&mut build)?;
    Ok(cmd::target_dir().join(if release { "release/vt" } else { "debug/vt" }))
}

/// The machine's clock, so many seconds off.
#[expect(clippy::disallowed_methods, reason = "a platform outside has a clock of its own")]
pub(crate) fn now(skew_s: i64) -> model::Ts {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_micros()).unwrap_or_default();
    model::Ts(now + skew_s * 1_000_000)
}

/// The greatest value that at most so many per cent of all exceed.
pub(crate) fn percentile(values: &[u128], percent: usize) -> u128 {
    let mut values = values.to_vec();
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[3, 1, 2], 50), 2);
        assert_eq!(percentile(&[3, 1, 2], 100), 3);
    }
}
