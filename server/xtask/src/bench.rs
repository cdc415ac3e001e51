//! Measures what is promised, against yardsticks that are started in the same run; one file a benchmark.
//!
//! A figure is a ratio wherever a machine's speed would decide it otherwise: ours and the yardstick take turns, and
//! the median of all turns counts. Loads go to loopback, have a bound, and touch folders of their own only.
//!
//! To add one: a file in `bench/` with its `Args` and a `run` that answers a [`Report`], and a variant of [`Which`].

mod events;
mod fanout;
mod ingest;
mod overview;
mod queries;
mod report;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use self::report::Report;
use crate::{cmd, serving};

/// Which benchmark, and how much of it.
#[derive(Args)]
pub(crate) struct Bench {
    /// Say what can be measured
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    which: Option<Which>,
}

#[derive(Subcommand)]
enum Which {
    /// Events a CPU-second through the observations endpoint, against `sqlite3` and `psql \copy` into the same tables
    Ingest(ingest::Ingest),
    /// Deliveries a CPU-second to open pages and their delay, against the npm package `ws`
    Fanout(fanout::Fanout),
    /// First byte and cost of the overview of many app-envs, against the same bytes from memory
    Overview(overview::Overview),
    /// How long pages of events, free text and an object's last day take with many events in the store
    Queries(queries::Queries),
}

/// Runs one benchmark and prints its table.
pub(crate) fn run(bench: Bench) -> Result<()> {
    let Some(which) = bench.which.filter(|_| !bench.list) else {
        list();
        return Ok(());
    };
    let report = match which {
        Which::Ingest(ingest) => ingest::run(&ingest)?,
        Which::Fanout(fanout) => fanout::run(&fanout)?,
        Which::Overview(overview) => overview::run(&overview)?,
        Which::Queries(queries) => queries::run(&queries)?,
    };
    report.print()
}

/// The names of all benchmarks, each with its sentence.
fn list() {
    let all = Which::augment_subcommands(clap::Command::new("bench"));
    for bench in all.get_subcommands() {
        let about = bench.get_about().map(ToString::to_string).unwrap_or_default();
        report::line(format!("{:<10} {about}", bench.get_name()));
    }
}

/// What every benchmark takes.
#[derive(Args, Clone)]
struct Common {
    /// How often each side has its turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Measure this `vt` instead of building the release one
    #[arg(long)]
    vt: Option<PathBuf>,
}

impl Common {
    fn vt(&self) -> Result<PathBuf> {
        self.vt.clone().map_or_else(|| serving::vt(true), Ok)
    }
}

/// A folder for one benchmark, gone at its end.
fn folder() -> Result<tempfile::TempDir> {
    std::fs::create_dir_all(cmd::target_dir())?;
    Ok(tempfile::Builder::new().prefix("vantage-bench-").tempdir_in(cmd::target_dir())?)
}
